"""Mixup (Zhang et al. 2018): each sample mixed with another of its batch."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from saflex_cli.augment.batch import AugmentedBatch
from saflex_cli.augment.intensity import as_float


@dataclass(frozen=True)
class PairMixup:
    """λ of a sample and 1 − λ of its partner in a random permutation; λ is Beta(α, α)."""

    alpha: float
    per_sample: bool
    """A λ for every sample, or one for the batch (as published)."""

    def __call__(self, batch: AugmentedBatch, generator: torch.Generator) -> AugmentedBatch:
        """Mix inputs, labels and weights in the same shares; images leave as floats.

        Worked case: with λ = 0.75, an image of class 0 and its partner of class 1 give the label (0.75, 0.25).
        """
        size = len(batch.inputs)
        partner = torch.randperm(size, generator=generator).to(batch.inputs.device)
        shares = draw_shares(self.alpha, size if self.per_sample else 1, generator)

        def mix(values: Tensor) -> Tensor:
            own = shares.to(values).view(-1, *[1] * (values.ndim - 1))
            return torch.lerp(values[partner], values, own)

        return AugmentedBatch(mix(as_float(batch.inputs)), mix(batch.soft_labels), mix(batch.sample_weights))


def draw_shares(alpha: float, count: int, generator: torch.Generator) -> Float[Tensor, " count"]:
    """Independent draws from Beta(α, α).

    By NumPy, because torch draws no Beta from a generator, and a ratio of two Gammas is 0/0 for a small α.
    """
    seed = int(torch.randint(2**63 - 1, (), generator=generator))
    return torch.from_numpy(np.random.default_rng(seed).beta(alpha, alpha, count))
