"""CLIP as the core wants it: each tower up to its features, its projection beside it, and the log of the scale."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional

from saflex_cli.core import Encoded
from saflex_cli.errors import RecipeError, SaflexValueError
from saflex_cli.models.clip.tokens import tokenize

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
"""Of the intensities in [0, 1], by channel: OpenAI's and open_clip's (`open_clip/constants.py`)."""

Images = Float[Tensor, "images 3 height width"] | UInt8[Tensor, "images 3 height width"]


class ImageTower(nn.Module):
    """A vision transformer behind its input normalisation: it takes uint8 in 0…255 or float intensities in [0, 1]."""

    def __init__(self, visual: Any) -> None:  # noqa: ANN401 - open_clip carries no types
        super().__init__()
        self.size: int = visual.image_size[0]
        self.projection: nn.Parameter = visual.proj
        visual.proj = None  # from here on the module ends in the features
        self.visual = visual
        for name, values in (("mean", MEAN), ("std", STD)):
            self.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)
        self.mean: Tensor
        self.std: Tensor

    def forward(self, images: Images) -> Float[Tensor, "images width"]:
        """Features before the projection.

        Raises:
            SaflexValueError: for images of another size.
        """
        if images.shape[2:] != (self.size, self.size):
            height, width = images.shape[2:]
            raise SaflexValueError(
                f"this CLIP takes images of {self.size} × {self.size} pixels, not {height} × {width}"
            )
        intensity = images if images.is_floating_point() else images.to(self.mean.dtype) / 255
        features: Tensor = self.visual((intensity - self.mean) / self.std)
        return features

    def embeddings(self, images: Images) -> Float[Tensor, "images embedding"]:
        """Of length 1 in the common space."""
        return functional.normalize(self(images) @ self.projection, dim=1)


class TextTower(nn.Module):
    """A causal transformer over tokens."""

    def __init__(self, body: Any) -> None:  # noqa: ANN401 - open_clip carries no types
        super().__init__()
        self.context_length: int = body.context_length
        self.projection: nn.Parameter = body.text_projection
        body.text_projection = None  # from here on the module ends in the features
        self.body = body

    def forward(self, tokens: Int[Tensor, "texts context"]) -> Float[Tensor, "texts width"]:
        """Features before the projection, of the token for the end."""
        features: Tensor = self.body.encode_text(tokens)
        return features

    def embeddings(self, tokens: Int[Tensor, "texts context"]) -> Float[Tensor, "texts embedding"]:
        """Of length 1 in the common space."""
        return functional.normalize(self(tokens) @ self.projection, dim=1)


class ClipTowers(nn.Module):
    """What `saflex_cli.core.ContrastiveSaflex` trains.

    Args:
        clip: An `open_clip.CLIP` whose towers both end in a matrix. It is taken apart, and of no use afterwards.
        in_bfloat16: Whether `autocast` computes in bfloat16.
    """

    def __init__(self, clip: Any, *, in_bfloat16: bool = False) -> None:  # noqa: ANN401 - open_clip carries no types
        super().__init__()
        self.in_bfloat16 = in_bfloat16
        self.logit_scale: nn.Parameter = clip.logit_scale
        self.image_tower = ImageTower(clip.visual)
        del clip.visual, clip.logit_scale
        self.text_tower = TextTower(clip)

    def forward(self, images: Images, tokens: Int[Tensor, "pairs context"]) -> Encoded:
        """Both towers' features of B pairs; every different caption is encoded once."""
        texts, rows = tokens.unique(dim=0, return_inverse=True)
        return Encoded(
            image_features=self.image_tower(images),
            text_features=self.text_tower(texts)[rows],
            logit_scale=self.logit_scale,
            image_projection=self.image_tower.projection,
            text_projection=self.text_tower.projection,
        )

    @property
    def scale(self) -> Float[Tensor, ""]:
        """What multiplies the cosines: exp(logit_scale)."""
        return self.logit_scale.exp()

    def tokens(self, captions: Sequence[str]) -> Int[Tensor, "captions context"]:
        """On the model's device.

        Raises:
            DataError: for a caption that is too long.
        """
        return tokenize(captions, self.text_tower.context_length).to(self.logit_scale.device)

    def logits(self, images: Images, head: Float[Tensor, "classes embedding"]) -> Float[Tensor, "images classes"]:
        """Of a head without bias, on embeddings of length 1; see `zero_shot_head`."""
        return self.image_tower.embeddings(images) @ head.T

    def autocast(self) -> torch.autocast:
        """The context of a training pass in the precision that the model was built for."""
        return torch.autocast(self.logit_scale.device.type, dtype=torch.bfloat16, enabled=self.in_bfloat16)


def check_forward_derivatives(model: nn.Module) -> None:
    """Before Π over all parameters is asked for.

    Raises:
        RecipeError: if a part of the model computes its activations again, which has no forward derivative.
    """
    if any(getattr(module, "grad_checkpointing", False) for module in model.modules()):
        raise RecipeError(
            "model: grad_checkpointing does not go together with Π over all parameters (scope all): its activations "
            "are computed again without the derivative; set grad_checkpointing: false, or scope: head"
        )
