"""CutMix for tables: cells of a row replaced by those of another row of its batch."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from saflex_cli.augment.batch import AugmentedBatch
from saflex_cli.augment.mixup import draw_shares


@dataclass(frozen=True)
class CellReplacement:
    """Every cell is the partner's with the given probability; the label is kept (SAINT, `augmentations.py`).

    Partners are a random permutation of the batch. Continuous and categorical cells are treated alike.
    """

    probability: float

    def __call__(self, batch: AugmentedBatch, generator: torch.Generator) -> AugmentedBatch:
        """Replace cells of a batch of rows (B, F)."""
        rows = batch.inputs
        partner = torch.randperm(len(rows), generator=generator).to(rows.device)
        taken = (torch.rand(rows.shape, generator=generator) < self.probability).to(rows.device)
        return replace(batch, inputs=torch.where(taken, rows[partner], rows))


@dataclass(frozen=True)
class ColumnReplacement:
    """⌊Fλ⌋ columns are kept and the others are the partner's, with mixed labels (Onishi & Meguro 2023).

    λ is Beta(α, α), one draw for a batch, and a batch is changed with the given probability. Which columns are kept is
    drawn for every row. A row's own label counts as much as the share of its cells that are equal to its own
    afterwards, whether they were kept or happen to agree; two missing values are equal.
    """

    alpha: float
    probability: float

    def __call__(self, batch: AugmentedBatch, generator: torch.Generator) -> AugmentedBatch:
        """Mix a batch of rows (B, F), its labels and weights, or leave it as it is.

        Worked case: with F = 4 and λ = 0.6 two columns are kept; if one of the other two agrees with the partner's, the
        labels of row and partner have the shares 0.75 and 0.25. True classes are forgotten in either case, so that
        whoever counts does not count the unchanged batches alone.
        """
        rows = batch.inputs
        count, columns = rows.shape
        changed = bool(torch.rand((), generator=generator) < self.probability)
        kept = int(columns * float(draw_shares(self.alpha, 1, generator)))
        partner = torch.randperm(count, generator=generator).to(rows.device)
        order = torch.rand(rows.shape, generator=generator).argsort(dim=1).to(rows.device)
        if not changed:
            return replace(batch, true_labels=None)
        own = torch.zeros_like(rows, dtype=torch.bool).scatter(1, order[:, :kept], value=True)
        mixed = torch.where(own, rows, rows[partner])
        share = _equal_cells(mixed, rows)

        def mix(values: Tensor) -> Tensor:
            weight = share.to(values).view(-1, *[1] * (values.ndim - 1))
            return torch.lerp(values[partner], values, weight)

        return AugmentedBatch(mixed, mix(batch.soft_labels), mix(batch.sample_weights))


def _equal_cells(
    rows: Float[Tensor, "batch columns"], others: Float[Tensor, "batch columns"]
) -> Float[Tensor, " batch"]:
    equal = (rows == others) | (rows.isnan() & others.isnan())
    return equal.to(rows.dtype).mean(1)
