"""Samples of the recipe's pool in the place of the batch."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from jaxtyping import Int, Shaped
from torch import Tensor
from torch.nn import functional

from saflex_cli.augment.batch import AugmentedBatch


@dataclass(frozen=True)
class PoolDraw:
    """Replaces each batch by as many samples of the pool, drawn at random, each once where possible."""

    noisy: ClassVar[bool] = True
    inputs: Shaped[Tensor, "n ..."]
    """Of the data set's kind."""
    labels: Int[Tensor, " n"]
    true_labels: Int[Tensor, " n"]
    """−1 for a sample of no class."""

    def __call__(self, batch: AugmentedBatch, generator: torch.Generator) -> AugmentedBatch:
        """As many samples of the pool as the batch has, with the pool's labels."""
        size, classes = batch.soft_labels.shape
        chosen = draw_places(len(self.labels), size, generator)
        rows, device = functional.one_hot(self.labels[chosen], classes), batch.inputs.device
        return replace(
            batch,
            inputs=self.inputs[chosen].to(device),
            soft_labels=rows.to(batch.soft_labels),
            true_labels=self.true_labels[chosen].to(device),
        )


def draw_places(count: int, size: int, generator: torch.Generator) -> Int[Tensor, " size"]:
    """`size` of the places 0…count−1 in random order; none a second time before each has been drawn."""
    repeats = -(-size // count)
    return torch.cat([torch.randperm(count, generator=generator) for _ in range(repeats)])[:size]
