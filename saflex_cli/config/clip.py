"""A contrastive model of images and texts, as a recipe names it.

An architecture is written as open_clip writes its own (`model_configs/*.json`), with the keys of a plain CLIP.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from saflex_cli.config.base import Positive, Strict


class VisionTower(Strict):
    """A vision transformer; `width` must be a multiple of `head_width`, and `image_size` of `patch_size`."""

    image_size: Positive
    """Pixels per side."""
    layers: Positive
    width: Positive
    patch_size: Positive
    head_width: Positive = 64

    @model_validator(mode="after")
    def _fits(self) -> "VisionTower":
        if self.width % self.head_width:
            raise ValueError(f"width must be a multiple of head_width ({self.head_width})")
        if self.image_size % self.patch_size:
            raise ValueError(f"image_size must be a multiple of patch_size ({self.patch_size})")
        return self


class TextTower(Strict):
    """A causal transformer over the tokens of CLIP's tokenizer; `width` must be a multiple of `heads`."""

    context_length: Annotated[int, Field(ge=3)]
    """Tokens of a caption at most, with those for its start and its end."""
    vocab_size: Literal[49408] = 49408
    """Of CLIP's tokenizer."""
    width: Positive
    heads: Positive
    layers: Positive

    @model_validator(mode="after")
    def _fits(self) -> "TextTower":
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads ({self.heads})")
        return self


class ClipArchitecture(Strict):
    """Two towers with one space for their embeddings."""

    embed_dim: Positive
    """Width of the common space."""
    quick_gelu: bool = False
    """x · sigmoid(1.702 x) in place of GELU: what OpenAI trained its weights with."""
    vision_cfg: VisionTower
    text_cfg: TextTower


class Clip(Strict):
    """CLIP (Radford et al. 2021) by the package open_clip."""

    name: Literal["clip"]
    architecture: str | ClipArchitecture = "ViT-B-16-quickgelu"
    """A name of open_clip's, a JSON file (absolute or relative to the data root), or the architecture itself."""
    weights: str | None = "openai"
    """A name of open_clip's for downloaded weights, or a file: safetensors, or a state dict that torch saved (absolute
    or relative to the data root). None: random, from the seed."""
    grad_checkpointing: bool = False
    """Less memory, more time: activations are computed again for the backward pass. Only with SAFLEX's scope `head`."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """`bfloat16`: training passes in autocast; FLYP trains in float32."""
