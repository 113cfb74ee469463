"""Extra samples out of the training split, some of them made wrong on purpose."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from saflex_cli.config.pool import PoolConfig
from saflex_cli.data.splits import Split, Splits
from saflex_cli.errors import DataError
from saflex_cli.seeding import Streams


@dataclass(frozen=True)
class Pool:
    """Samples with their labels as trained on, and what is wrong with them."""

    inputs: Shaped[Tensor, "n ..."]
    labels: Int[Tensor, " n"]
    original_labels: Int[Tensor, " n"]
    scrambled: Bool[Tensor, " n"]
    """Whose inputs are of no class."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def mislabelled(self) -> Bool[Tensor, " n"]:
        """Whose label is not the original one."""
        return self.labels != self.original_labels

    @property
    def true_labels(self) -> Int[Tensor, " n"]:
        """The original labels; −1 for inputs of no class."""
        return self.original_labels.masked_fill(self.scrambled, -1)


def take_pool(splits: Splits, config: PoolConfig, seed: int) -> tuple[Splits, Pool]:
    """The same splits with a smaller `train`, and the pool taken out of it; `seed` is the run's.

    Members, wrong labels and wrong inputs have random streams of their own, and a smaller share of wrong ones is part
    of a larger one. With 10 samples and shares of 0.6 and 0.2: 6 wrong labels, and the inputs of 2 scrambled.

    Raises:
        DataError: if the pool leaves fewer than two training samples.
    """
    train, streams = splits.train, Streams(seed)
    left = len(train) - config.size
    if left < 2:
        raise DataError(
            f"pool.size is {config.size}, but there are {len(train)} training samples, and at least 2 must stay; "
            "lower it, or ask for more training data"
        )
    order = torch.randperm(len(train), generator=streams.generator("pool", "members"))
    members, rest = order[: config.size].sort().values, order[config.size :].sort().values
    inputs, labels = train.inputs[members], train.labels[members]
    scrambled, drawn = _scramble(inputs, config.wrong_inputs, streams.generator("pool", "inputs"))
    wrong = _mislabel(labels, splits.classes, config.wrong_labels, streams.generator("pool", "labels"))
    pool = Pool(scrambled, wrong, labels, drawn)
    note = (
        f"pool: {len(pool)} of {len(train)} training samples, {int(pool.mislabelled.sum())} with a wrong label, "
        f"{int(drawn.sum())} with wrong inputs; {left} clean ones stay"
    )
    clean = Split(train.inputs[rest], train.labels[rest])
    return replace(splits, train=clean, notes=(*splits.notes, note)), pool


def _share(count: int, share: float, generator: torch.Generator) -> Bool[Tensor, " n"]:
    """Exactly round(share · count) of them, at random."""
    chosen = torch.zeros(count, dtype=torch.bool)
    chosen[torch.randperm(count, generator=generator)[: round(share * count)]] = True
    return chosen


def _mislabel(labels: Int[Tensor, " n"], classes: int, share: float, generator: torch.Generator) -> Int[Tensor, " n"]:
    chosen = _share(len(labels), share, generator)
    shift = torch.randint(1, classes, labels.shape, generator=generator)
    return torch.where(chosen, (labels + shift) % classes, labels)


def _scramble(
    inputs: Shaped[Tensor, "n ..."], share: float, generator: torch.Generator
) -> tuple[Shaped[Tensor, "n ..."], Bool[Tensor, " n"]]:
    """Every column of the chosen rows, or pixel of the chosen images (N, C, H, W), from a sample of its own."""
    chosen = _share(len(inputs), share, generator)
    count, shape = int(chosen.sum()), inputs.shape[1:]
    places = shape if len(shape) == 1 else (1, *shape[1:])
    source = torch.randint(len(inputs), (count, *places), generator=generator).expand(count, *shape)
    made = inputs.clone()
    made[chosen] = inputs.gather(0, source)
    return made, chosen
