"""A small vision transformer (Dosovitskiy et al. 2021) for images of about 28 pixels."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from saflex_cli.models.attention import Attention


class Vit(nn.Module):
    """A token per patch and a class token with learned places, blocks of attention, a linear layer."""

    def __init__(
        self, *, shape: tuple[int, int, int], classes: int, patch: int, dim: int, depth: int, heads: int
    ) -> None:
        super().__init__()
        channels, height, width = shape
        self.patches = nn.Conv2d(channels, dim, kernel_size=patch, stride=patch)
        places = (height // patch) * (width // patch) + 1
        self.class_token = nn.Parameter(torch.zeros(dim))
        self.places = nn.Parameter(0.02 * torch.randn(places, dim))
        self.blocks = nn.Sequential(*(Block(dim, heads=heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch classes"]:
        """Logits."""
        patches = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(len(images), 1, -1), patches], dim=1) + self.places
        return self.head(self.norm(self.blocks(tokens)[:, 0]))  # type: ignore[no-any-return]

    def feature_layers(self) -> list[nn.Module]:
        """The blocks."""
        return list(self.blocks)


class Block(nn.Module):
    """x ← x + attention(norm(x)), then x ← x + two linear layers with a GELU between them of norm(x)."""

    def __init__(self, dim: int, *, heads: int) -> None:
        super().__init__()
        self.attention_norm, self.mlp_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = Attention(dim, heads=heads, head_width=dim // heads, dropout=0.0)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, tokens: Float[Tensor, "batch tokens dim"]) -> Float[Tensor, "batch tokens dim"]:
        """The tokens after the block."""
        tokens = tokens + self.attention(self.attention_norm(tokens))
        return tokens + self.mlp(self.mlp_norm(tokens))  # type: ignore[no-any-return]
