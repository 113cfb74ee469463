"""Blocks of attention between tokens, and between the rows of a batch."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Scaled dot-product attention; all heads in one matrix for queries, keys and values, without a bias."""

    def __init__(self, width: int, *, heads: int, head_width: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.queries_keys_values = nn.Linear(width, 3 * heads * head_width, bias=False)
        self.out = nn.Linear(heads * head_width, width)

    def forward(self, tokens: Float[Tensor, "batch tokens width"]) -> Float[Tensor, "batch tokens width"]:
        """What each token gathers from all of its group; dropout falls on the attention weights."""
        parts = self.queries_keys_values(tokens).unflatten(2, (3, self.heads, -1))
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        gathered = functional.scaled_dot_product_attention(queries, keys, values, dropout_p=dropout)
        return self.out(gathered.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class FeedForward(nn.Module):
    """To eight times the width, half of it the gate of the other half (GEGLU), and back (Shazeer 2020)."""

    def __init__(self, width: int, *, dropout: float) -> None:
        super().__init__()
        self.up, self.dropout, self.down = nn.Linear(width, 8 * width), nn.Dropout(dropout), nn.Linear(4 * width, width)

    def forward(self, tokens: Float[Tensor, "*shape width"]) -> Float[Tensor, "*shape width"]:
        """Each token by itself."""
        values, gates = self.up(tokens).chunk(2, dim=-1)
        return self.down(self.dropout(values * functional.gelu(gates)))  # type: ignore[no-any-return]


class ColumnBlock(nn.Module):
    """x ← x + attention(norm(x)), then x ← x + feed-forward(norm(x)), between the tokens of each row."""

    def __init__(
        self, width: int, *, heads: int, head_width: int, attention_dropout: float, feedforward_dropout: float
    ) -> None:
        super().__init__()
        self.attention_norm, self.feedforward_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads=heads, head_width=head_width, dropout=attention_dropout)
        self.feedforward = FeedForward(width, dropout=feedforward_dropout)

    def forward(self, tokens: Float[Tensor, "batch tokens width"]) -> Float[Tensor, "batch tokens width"]:
        """The tokens after the block."""
        tokens = tokens + self.attention(self.attention_norm(tokens))
        return tokens + self.feedforward(self.feedforward_norm(tokens))  # type: ignore[no-any-return]


class RowBlock(nn.Module):
    """The same block between the rows of a batch: all tokens of a row in one vector, and the batch as one group."""

    def __init__(self, block: ColumnBlock) -> None:
        super().__init__()
        self.block = block

    def forward(self, tokens: Float[Tensor, "batch tokens width"]) -> Float[Tensor, "batch tokens width"]:
        """The tokens after the block; each row's depend on the whole batch."""
        rows: Tensor = self.block(torch.flatten(tokens, 1)[None])
        return rows[0].view_as(tokens)
