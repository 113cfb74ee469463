"""Tiny float64 models with an image and a text tower, and batches of pairs with repeated captions."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from saflex_cli.core import Encoded
from tests.core.small_models import randomised

WORDS, PIXELS, WIDTH, EMBEDDING = 7, 6, 5, 4
GROUPS = [3, 1, 3, 0, 1]
OUTER_GROUPS = [1, 0, 1, 2]
LAST = {"image_projection", "text_projection", "logit_scale"}
"""Parameters of scope `head`."""


class TwoTowers(nn.Module):
    """Vectors for images, two tokens for texts; the projections are bare matrices, as in CLIP."""

    def __init__(self, *, body: nn.Module | None = None):
        super().__init__()
        self.image = nn.Sequential(nn.Linear(PIXELS, WIDTH), nn.Tanh(), *([] if body is None else [body]))
        self.tokens, self.text = nn.Embedding(WORDS, 3), nn.Sequential(nn.Linear(6, WIDTH), nn.Tanh())
        self.image_projection = nn.Parameter(torch.empty(WIDTH, EMBEDDING))
        self.text_projection = nn.Parameter(torch.empty(WIDTH, EMBEDDING))
        self.logit_scale = nn.Parameter(torch.empty(()))

    def forward(self, images, texts):
        return Encoded(
            self.image(images), self.encode(texts), self.logit_scale, self.image_projection, self.text_projection
        )

    def encode(self, texts):
        return self.text(self.tokens(texts).flatten(1))


class DistinctCaptions(TwoTowers):
    """Encodes every distinct caption once: texts are (captions, row of each pair)."""

    def encode(self, texts):
        captions, rows = texts
        return super().encode(captions)[rows]


class Attention(nn.Module):
    """Over the features of one sample as tokens, by the kernel that torch chooses."""

    def __init__(self):
        super().__init__()
        self.lift = nn.Linear(1, 8)

    def forward(self, features):
        tokens = self.lift(features[..., None])[:, None]
        return features + functional.scaled_dot_product_attention(tokens, tokens, tokens)[:, 0].mean(2)


class Embedded(TwoTowers):
    """Returns embeddings and no projection."""

    def forward(self, images, texts):
        return Encoded(
            self.image(images) @ self.image_projection, self.encode(texts) @ self.text_projection, self.logit_scale
        )


@dataclass(frozen=True)
class PairProblem:
    """A model with a batch of pairs and an outer batch."""

    model: nn.Module
    images: Tensor
    texts: Any
    groups: Tensor
    outer_images: Tensor
    outer_texts: Any
    outer_groups: Tensor

    def call(self) -> dict[str, Any]:
        """Of `ContrastiveSaflex.__call__`."""
        return dict(vars(self))


def captions(groups: list[int]) -> Tensor:
    """Two tokens for every group, the same for all its pairs."""
    return torch.tensor([[group % WORDS, (2 * group + 1) % WORDS] for group in groups])


def pair_problem(
    model: nn.Module | None = None, groups: list[int] | None = None, outer_groups: list[int] | None = None
) -> PairProblem:
    """Random images; every pair has the caption of its group."""
    groups, outer_groups = groups or GROUPS, outer_groups or OUTER_GROUPS
    return PairProblem(
        model=randomised(model or TwoTowers()),
        images=torch.randn(len(groups), PIXELS, dtype=torch.float64),
        texts=captions(groups),
        groups=torch.tensor(groups),
        outer_images=torch.randn(len(outer_groups), PIXELS, dtype=torch.float64),
        outer_texts=captions(outer_groups),
        outer_groups=torch.tensor(outer_groups),
    )


MODELS = {
    "plain": TwoTowers,
    "norm-dropout": lambda: TwoTowers(body=nn.Sequential(nn.BatchNorm1d(WIDTH), nn.Dropout(0.5))),
    "norm-eval": lambda: TwoTowers(body=nn.BatchNorm1d(WIDTH)).eval(),
    "attention": lambda: TwoTowers(body=Attention()),
}
