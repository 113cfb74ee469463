"""Images are raw intensities, of one of two kinds: uint8 in 0…255, or float in [0, 1]. From one kind to the other."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

Images = Float[Tensor, "batch channels height width"] | UInt8[Tensor, "batch channels height width"]


def as_float(intensity: Float[Tensor, "*shape"] | UInt8[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """In [0, 1]; floats stay as they are."""
    return intensity if intensity.is_floating_point() else intensity.float() / 255


def as_uint8(intensity: Float[Tensor, "*shape"] | UInt8[Tensor, "*shape"]) -> UInt8[Tensor, "*shape"]:
    """In 0…255, rounded; uint8 stays as it is."""
    if not intensity.is_floating_point():
        return intensity
    return (intensity * 255).round().clamp(0, 255).to(torch.uint8)


def like(
    intensity: Float[Tensor, "*shape"] | UInt8[Tensor, "*shape"], model: Tensor
) -> Float[Tensor, "*shape"] | UInt8[Tensor, "*shape"]:
    """The same intensities in the kind and on the device of another tensor."""
    converted = as_float(intensity) if model.is_floating_point() else as_uint8(intensity)
    return converted.to(model)
