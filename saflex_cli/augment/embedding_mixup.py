"""Mixup after a model's embedding: for tables, whose categories have no mean."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from saflex_cli import mixed_rows
from saflex_cli.augment.batch import AugmentedBatch
from saflex_cli.augment.mixup import draw_shares


@dataclass(frozen=True)
class PairedRows:
    """Pairs each row with another of its batch, for the model to mix; labels and weights are mixed here."""

    share: float | Literal["beta"]
    """The row's own: a draw from Beta(α, α), or a number."""
    alpha: float
    per_sample: bool
    """A draw for every row, or one for the batch."""

    def __call__(self, batch: AugmentedBatch, generator: torch.Generator) -> AugmentedBatch:
        """From rows (B, F) to pairs (B, 2F + 1), in the form of `mixed_rows`; partners are a random permutation."""
        rows = batch.inputs
        partner = torch.randperm(len(rows), generator=generator).to(rows.device)
        shares = self._shares(len(rows), generator).to(rows)

        def mix(values: Tensor) -> Tensor:
            return torch.lerp(values[partner], values, shares.to(values).view(-1, *[1] * (values.ndim - 1)))

        pairs = mixed_rows.pack(rows, rows[partner], shares)
        return AugmentedBatch(pairs, mix(batch.soft_labels), mix(batch.sample_weights))

    def _shares(self, count: int, generator: torch.Generator) -> Float[Tensor, " count"]:
        if self.share == "beta":
            return draw_shares(self.alpha, count if self.per_sample else 1, generator).expand(count)
        return torch.full((count,), self.share)
