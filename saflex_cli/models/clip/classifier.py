"""The image tower under an ordinary linear layer: for training by cross-entropy, and for SAFLEX's scope `head`."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from saflex_cli.models.clip.towers import Images, ImageTower


class ClipClassifier(nn.Module):
    """Logits of embeddings of length 1.

    Args:
        tower: Shared, not copied; the text tower is no part of the classifier.
        weight: What the linear layer starts as: a linear probe's, or `zero_shot_head`.
        bias: Likewise; zero otherwise.
    """

    def __init__(
        self,
        tower: ImageTower,
        weight: Float[Tensor, "classes embedding"],
        bias: Float[Tensor, " classes"] | None = None,
    ) -> None:
        super().__init__()
        self.image_tower = tower
        classes, width = weight.shape
        like = tower.projection
        self.head = nn.utils.skip_init(nn.Linear, width, classes, device=like.device, dtype=like.dtype)
        with torch.no_grad():
            self.head.weight.copy_(weight)
            self.head.bias.copy_(torch.zeros(classes) if bias is None else bias)

    def forward(self, images: Images) -> Float[Tensor, "images classes"]:
        """Logits."""
        return self.head(self.image_tower.embeddings(images))  # type: ignore[no-any-return]
