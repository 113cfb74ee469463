"""A classifier without training images: the text tower's embeddings of every class' captions."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from saflex_cli.core.passes import evaluation_mode
from saflex_cli.errors import SaflexValueError
from saflex_cli.models.clip.towers import ClipTowers

TEXT_BATCH = 256
"""Captions of a forward pass."""


@torch.no_grad()
def zero_shot_head(towers: ClipTowers, captions: Sequence[Sequence[str]]) -> Float[Tensor, "classes embedding"]:
    """Rows are classes: the mean of its captions' unit embeddings, made a unit again, times the scale. No bias.

    As FLYP rebuilds it after every epoch (`src/models/zeroshot.py` at 215d5bb). Classes with the same captions have the
    same row, and the first of them wins.

    Args:
        towers: The model, in whatever mode; it is left so.
        captions: Of each class, one per template, the same number for all.

    Raises:
        DataError: for a caption that is too long.
        SaflexValueError: if classes have different numbers of captions, or none.
    """
    counts = {len(own) for own in captions}
    if len(counts) != 1 or 0 in counts:
        raise SaflexValueError(f"captions: every class needs as many, at least one; there are {sorted(counts)}")
    tokens = towers.tokens([caption for own in captions for caption in own])
    with evaluation_mode(towers):
        embeddings = torch.cat([towers.text_tower.embeddings(part) for part in tokens.split(TEXT_BATCH)])
    means = embeddings.unflatten(0, (len(captions), -1)).mean(1)
    return towers.scale * functional.normalize(means, dim=1)
