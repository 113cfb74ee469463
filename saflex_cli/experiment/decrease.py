"""First order against the real bilevel step: what one step on a batch takes away from the outer and the test loss."""

from copy import deepcopy
from dataclasses import replace
from typing import get_args

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from saflex_cli.augment.batch import AugmentedBatch
from saflex_cli.augment.intensity import as_float
from saflex_cli.config.probe_config import Decrease
from saflex_cli.core.alignment import Alignment, alignment
from saflex_cli.core.saflex import refine
from saflex_cli.data.splits import Split
from saflex_cli.errors import RecipeError
from saflex_cli.experiment.one_step import Normalise, OneStep, Solution, masses, one_step, search
from saflex_cli.experiment.parts import Parts
from saflex_cli.models.standardise import Standardised
from saflex_cli.seeding import Streams
from saflex_cli.settings import DEFAULT, PRESETS
from saflex_cli.train.evaluate import evaluate
from saflex_cli.train.steps import train_split

_SURE = 4.0
"""Log-odds at which the search starts from a corner of the box: 98 %, so that it can leave it."""
_NOTHING = 1e-12
"""Nats: a decrease below this is rounding, and no share of it is taken."""

Weighted = tuple[Float[Tensor, " batch"], Float[Tensor, "batch classes"]]


class DecreaseProbe:
    """Measures one run's states on the CPU, in float64 and evaluation mode."""

    def __init__(self, config: Decrease, parts: Parts, _device: torch.device) -> None:
        if parts.upstream is None:
            raise RecipeError(f"recipe {parts.recipe.name}: a probe of the decrease needs an augmentation")
        self.config, self.parts, self.upstream = config, parts, parts.upstream

    def __call__(self, model: Standardised, epoch: int) -> dict[str, float]:
        """The values by `group/name`; nothing of the model changes, and no random state."""
        splits, streams = self.parts.splits, Streams(Streams(self.parts.seed).number("probe", epoch))
        network = deepcopy(model).cpu().double().eval()
        batch, outer, test = self._batch(streams, epoch), _double(splits.val), _double(splits.test)
        inputs = as_float(batch.inputs).double()
        step = one_step(network, inputs, {"outer": (outer.inputs, outer.labels), "test": (test.inputs, test.labels)})
        upstream = batch.soft_labels.double()
        aligned = {
            "all": alignment(network, inputs, outer.inputs, outer.labels, scope="all"),
            "head": alignment(network, inputs, outer.inputs, outer.labels, scope="head"),
        }
        solutions = _preset_solutions(aligned, upstream, streams)
        solutions["upstream"] = batch.sample_weights.double(), upstream
        if batch.true_labels is not None and bool((batch.true_labels >= 0).all()):
            rows = functional.one_hot(batch.true_labels, upstream.shape[1]).double()
            solutions["true_labels"] = batch.sample_weights.double(), rows
        starts = _starts(aligned["all"].matrix, upstream, streams)
        values = {"model/test": evaluate(model, self.parts.splits.test)["accuracy"]}
        rates = torch.tensor(self.config.rates, dtype=torch.float64)
        for normalise in get_args(Normalise):
            found = search(step, rates, normalise, starts, self.config.iterations)
            for rate, best in zip(self.config.rates, found, strict=True):
                values |= _shares(step, rate, normalise, solutions, best)
        return values

    def _batch(self, streams: Streams, epoch: int) -> AugmentedBatch:
        """A batch of the upstream augmentation, as strong as at this epoch."""
        train = train_split(self.parts.method, self.parts.splits)
        chosen = torch.randperm(len(train), generator=streams.generator("order"))[: self.config.batch]
        augment = self.upstream.epoch(streams, 0, scheduled=max(0, epoch - 1))
        return augment(train.inputs[chosen], train.labels[chosen])


def _shares(
    step: OneStep, rate: float, normalise: Normalise, solutions: dict[str, Weighted], best: Solution
) -> dict[str, float]:
    """Decreases of the outer and of the test loss as shares of the best outer decrease found; none where that is 0."""
    before = step.before()
    most = before - best.loss
    if most < _NOTHING:
        return {}
    every = {"exact": best.masses} | {name: masses(*given, normalise) for name, given in solutions.items()}
    points = torch.stack(list(every.values()))
    values: dict[str, float] = {}
    for of in ("outer", "test"):
        shares = (step.before(of) - step.after(points, rate, of)) / most
        values |= {f"{normalise}/{of}/{rate:g}/{name}": share.item() for name, share in zip(every, shares, strict=True)}
    place = f"{normalise}/search/{rate:g}"
    facts = {"gap": best.gap / most, "second": (before - best.second) / most, "loss": most / before}
    return values | {f"{place}/{name}": value for name, value in facts.items()}


def _double(split: Split) -> Split:
    return Split(as_float(split.inputs).double(), split.labels)


def _preset_solutions(
    aligned: dict[str, Alignment], upstream: Float[Tensor, "batch classes"], streams: Streams
) -> dict[str, Weighted]:
    """Weights and labels of every preset, each against the same outer set.

    The default is left out: it differs from `proximal` in how often it takes the outer gradient anew, and so not here.
    """
    found = {}
    for name, settings in ((name, settings) for name, settings in PRESETS.items() if name != DEFAULT):
        of = aligned["head" if settings.scope == "none" else settings.scope]
        refined = refine(
            of, upstream, None, replace(settings, outer_batch_size="all"), generator=streams.generator("gumbel")
        )
        found[name] = refined.sample_weights, refined.soft_labels
    return found


def _starts(
    matrix: Float[Tensor, "batch classes"], upstream: Float[Tensor, "batch classes"], streams: Streams
) -> tuple[Float[Tensor, "starts batch"], Float[Tensor, "starts batch classes"]]:
    """Undecided; near the linear program's optimum, samples with more to gain first; near the upstream; at random."""
    generator = streams.generator("probe")
    gains = matrix.amax(1)
    standard = (gains - gains.mean()) / gains.std().clamp(min=_NOTHING)
    best = functional.one_hot(matrix.argmax(1), matrix.shape[1]).double()
    flat, square = gains.new_zeros(len(gains)), torch.zeros_like(upstream)
    drawn = (torch.randn(each.shape, generator=generator, dtype=each.dtype) for each in (flat, square))
    odds = torch.stack([flat, _SURE * standard, flat + _SURE, next(drawn)])
    return odds, torch.stack([square, _SURE * best, _SURE * upstream, next(drawn)])
