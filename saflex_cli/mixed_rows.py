"""Pairs of table rows that a model is to mix after its embedding: how an augmentation hands them on in one tensor.

Codes of categories cannot be mixed as numbers, and a model is called with one tensor. So a pair is one wider row: for
F columns, the row's own F values, the F values of its partner, then the row's own share, 2F + 1 columns in all. A model
for tables tells pairs from plain rows by the width.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from saflex_cli.errors import DataError


def pack(
    own: Float[Tensor, "batch columns"], partner: Float[Tensor, "batch columns"], share: Float[Tensor, " batch"]
) -> Float[Tensor, "batch twice_and_one"]:
    """One wider row per pair; `share` is that of `own`."""
    return torch.cat([own, partner, share.to(own)[:, None]], dim=1)


def encode(
    rows: Float[Tensor, "*batch width"], columns: int, encoder: Callable[[Tensor], Tensor]
) -> Float[Tensor, "..."]:
    """What the encoder makes of plain rows; of pairs, the mixture of what it makes of both rows.

    Args:
        rows: Plain rows (B, F) or pairs (B, 2F + 1), or stacks of such batches.
        columns: F.
        encoder: From plain rows (N, F) to (N, …), or from a stack to a stack, each row by itself.

    Raises:
        DataError: if the rows have any other width.
    """
    width, place = rows.shape[-1], rows.ndim - 2
    if width == columns:
        return encoder(rows)
    if width != 2 * columns + 1:
        raise DataError(
            f"the model was built for rows of {columns} columns, and got {width}; hand it rows of its table"
        )
    encoded = encoder(torch.cat([rows[..., :columns], rows[..., columns:-1]], dim=place))
    own, partner = encoded.chunk(2, dim=place)
    share = rows[..., -1].view(*rows.shape[:-1], *[1] * (encoded.ndim - rows.ndim + 1))
    mixed: Tensor = share * own + (1 - share) * partner
    return mixed
