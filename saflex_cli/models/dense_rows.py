"""Rows of a table as dense vectors: what a multilayer perceptron takes."""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from saflex_cli import mixed_rows

MAX_EMBEDDING = 50


class DenseRows(nn.Module):
    """Continuous values, optional indicators of the missing ones, and one embedding per categorical column, in a row.

    Missing values (NaN) become 0. Pairs of rows are mixed as these vectors (see `mixed_rows`).
    """

    def __init__(
        self,
        *,
        continuous: int,
        levels: tuple[int, ...] = (),
        embedding: Literal["auto"] | int = "auto",
        missing_indicator: bool = False,
    ) -> None:
        super().__init__()
        self.columns, self.continuous, self.missing_indicator = continuous + len(levels), continuous, missing_indicator
        widths = [embedding_width(count) if embedding == "auto" else embedding for count in levels]
        self.embeddings = nn.ModuleList(nn.Embedding(*size) for size in zip(levels, widths, strict=True))
        self.width = continuous * (2 if missing_indicator else 1) + sum(widths)

    def forward(self, rows: Float[Tensor, "batch columns"]) -> Float[Tensor, "batch width"]:
        """Dense vectors of plain rows (B, F) or of pairs (B, 2F + 1)."""
        return mixed_rows.encode(rows, self.columns, self._dense)

    def _dense(self, rows: Float[Tensor, "batch columns"]) -> Float[Tensor, "batch width"]:
        values, missing, codes = split_columns(rows, self.continuous)
        indicators = [missing.to(values)] if self.missing_indicator else []
        embedded = [embedding(codes[:, column]) for column, embedding in enumerate(self.embeddings)]
        return torch.cat([values, *indicators, *embedded], dim=1)


def embedding_width(levels: int) -> int:
    """Half the number of codes, rounded up, at most 50: a rule of thumb, and a choice of ours."""
    return min(MAX_EMBEDDING, (levels + 1) // 2)


def split_columns(
    rows: Float[Tensor, "*batch columns"], continuous: int
) -> tuple[Float[Tensor, "*batch continuous"], Bool[Tensor, "*batch continuous"], Int[Tensor, "*batch categorical"]]:
    """Continuous values with 0 in the place of NaN, which of them were NaN, and the codes of the other columns."""
    values = rows[..., :continuous]
    missing = values.isnan()
    return torch.where(missing, 0.0, values), missing, rows[..., continuous:].long()
