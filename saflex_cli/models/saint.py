"""SAINT (Somepalli et al. 2021), for supervised training on rows of a table.

Where the published code (somepago/saint) does something else than the paper or than it seems to intend, this is the
intended model: docs/tabular-models.md lists every such place.
"""

from itertools import accumulate

import torch
from jaxtyping import Float
from torch import Tensor, nn

from saflex_cli import mixed_rows
from saflex_cli.models.attention import ColumnBlock, RowBlock
from saflex_cli.models.dense_rows import split_columns

TOKEN_HIDDEN, HEAD_HIDDEN = 100, 1000
COLUMN_HEAD_WIDTH, ROW_HEAD_WIDTH = 16, 64


class Saint(nn.Module):
    """A token per column and a class token, blocks of attention, and a classifier on the class token."""

    def __init__(
        self,
        *,
        continuous: int,
        levels: tuple[int, ...],
        classes: int,
        dim: int,
        depth: int,
        heads: int,
        row_attention: bool,
        attention_dropout: float,
        feedforward_dropout: float,
    ) -> None:
        super().__init__()
        self.tokens = RowTokens(continuous, levels, dim)

        def block(width: int, head_width: int) -> ColumnBlock:
            return ColumnBlock(
                width,
                heads=heads,
                head_width=head_width,
                attention_dropout=attention_dropout,
                feedforward_dropout=feedforward_dropout,
            )

        blocks: list[nn.Module] = []
        for _ in range(depth):
            blocks.append(block(dim, COLUMN_HEAD_WIDTH))
            if row_attention:
                blocks.append(RowBlock(block((self.tokens.columns + 1) * dim, ROW_HEAD_WIDTH)))
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.LayerNorm(dim)
        self.hidden = nn.Sequential(nn.Linear(dim, HEAD_HIDDEN), nn.ReLU())
        self.head = nn.Linear(HEAD_HIDDEN, classes)

    def forward(self, rows: Float[Tensor, "batch columns"]) -> Float[Tensor, "batch classes"]:
        """Logits of plain rows (B, F) or of pairs (B, 2F + 1)."""
        class_token = self.blocks(self.tokens(rows))[:, 0]
        return self.head(self.hidden(self.norm(class_token)))  # type: ignore[no-any-return]


class RowTokens(nn.Module):
    """From rows to tokens: the class token first, then one per column, in the order of the columns.

    Pairs of rows are mixed as tokens (see `mixed_rows`).
    """

    def __init__(self, continuous: int, levels: tuple[int, ...], dim: int) -> None:
        super().__init__()
        self.columns, self.continuous = continuous + len(levels), continuous
        self.class_token = nn.Parameter(torch.randn(dim))
        self.numbers = ContinuousTokens(continuous, dim) if continuous else None
        self.categories = nn.Embedding(sum(levels), dim) if levels else None
        # Column c's codes 0…L−1 are the rows from offset c on, in one table for all columns.
        offsets = torch.tensor([0, *accumulate(levels)][: len(levels)], dtype=torch.long)
        self.offsets: Tensor
        self.register_buffer("offsets", offsets, persistent=False)

    def forward(self, rows: Float[Tensor, "batch columns"]) -> Float[Tensor, "batch tokens dim"]:
        """Tokens of plain rows (B, F) or of pairs (B, 2F + 1)."""
        tokens = mixed_rows.encode(rows, self.columns, self._column_tokens)
        return torch.cat([self.class_token.expand(len(tokens), 1, -1), tokens], dim=1)

    def _column_tokens(self, rows: Float[Tensor, "batch columns"]) -> Float[Tensor, "batch columns dim"]:
        values, missing, codes = split_columns(rows, self.continuous)
        numbers = [] if self.numbers is None else [self.numbers(values, missing)]
        categories = [] if self.categories is None else [self.categories(codes + self.offsets)]
        return torch.cat([*numbers, *categories], dim=1)


class ContinuousTokens(nn.Module):
    """For every column a network of its own, 1 → 100 → d with a ReLU; a learned token where the value is missing.

    All columns are computed at once. Weights and biases start as those of `torch.nn.Linear`: uniform in ±1/√inputs.
    """

    def __init__(self, columns: int, dim: int) -> None:
        super().__init__()
        bound = TOKEN_HIDDEN**-0.5
        self.weight_in = nn.Parameter(torch.empty(columns, TOKEN_HIDDEN).uniform_(-1, 1))
        self.bias_in = nn.Parameter(torch.empty(columns, TOKEN_HIDDEN).uniform_(-1, 1))
        self.weight_out = nn.Parameter(torch.empty(columns, TOKEN_HIDDEN, dim).uniform_(-bound, bound))
        self.bias_out = nn.Parameter(torch.empty(columns, dim).uniform_(-bound, bound))
        self.missing = nn.Parameter(torch.randn(columns, dim))

    def forward(self, values: Float[Tensor, "batch columns"], missing: Tensor) -> Float[Tensor, "batch columns dim"]:
        """One token per value; `missing` (B, C) says which of them are the learned ones."""
        hidden = torch.relu(values[:, :, None] * self.weight_in + self.bias_in)
        tokens = torch.einsum("bch,chd->bcd", hidden, self.weight_out) + self.bias_out
        return torch.where(missing[:, :, None], self.missing, tokens)
