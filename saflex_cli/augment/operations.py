"""The 14 operations of RandAugment with the magnitudes of torchvision, in its order, on uint8 batches."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional

Scale = Callable[[int, int, int], Tensor]
"""(number of magnitudes, height, width) → the magnitudes."""


def _rising(largest: float) -> Scale:
    return lambda bins, _height, _width: torch.linspace(0.0, largest, bins)


def _no_scale(bins: int, _height: int, _width: int) -> Tensor:
    return torch.zeros(bins)


def _translate_x_scale(bins: int, _height: int, width: int) -> Tensor:
    return torch.linspace(0.0, 150.0 / 331.0 * width, bins)


def _translate_y_scale(bins: int, height: int, _width: int) -> Tensor:
    return torch.linspace(0.0, 150.0 / 331.0 * height, bins)


def _posterize_scale(bins: int, _height: int, _width: int) -> Tensor:
    return (8 - torch.arange(bins) / ((bins - 1) / 4)).round()


def _solarize_scale(bins: int, _height: int, _width: int) -> Tensor:
    return torch.linspace(1.0, 0.0, bins)


@dataclass(frozen=True)
class Operation:
    """What one operation does to a batch of images, all with the same magnitude."""

    name: str
    apply: Callable[[Tensor, float, int], Tensor]
    """(uint8 images (B, C, H, W), signed magnitude, fill in 0…255) → uint8 images."""
    scale: Scale = _no_scale
    signed: bool = False
    """Whether the magnitude is negated with probability one half."""

    def magnitude(self, index: int, bins: int, height: int, width: int) -> float:
        """The unsigned magnitude at an index of the scale, for images of this size."""
        return float(self.scale(bins, height, width)[index])


def _shear(images: Tensor, x: float, y: float, fill: int) -> Tensor:
    degrees = [math.degrees(math.atan(x)), math.degrees(math.atan(y))]
    return functional.affine(  # type: ignore[no-any-return]
        images, angle=0.0, translate=[0, 0], scale=1.0, shear=degrees, fill=_filling(fill), center=[0, 0]
    )


def _translate(images: Tensor, x: float, y: float, fill: int) -> Tensor:
    return functional.affine(  # type: ignore[no-any-return]
        images, angle=0.0, translate=[int(x), int(y)], scale=1.0, shear=[0.0, 0.0], fill=_filling(fill)
    )


def _filling(fill: int) -> int | None:
    """Without a fill, torchvision lets zeros come in and saves itself a mask."""
    return fill or None


OPERATIONS = (
    Operation("Identity", lambda x, _m, _fill: x),
    Operation("ShearX", lambda x, m, fill: _shear(x, m, 0.0, fill), _rising(0.3), signed=True),
    Operation("ShearY", lambda x, m, fill: _shear(x, 0.0, m, fill), _rising(0.3), signed=True),
    Operation("TranslateX", lambda x, m, fill: _translate(x, m, 0.0, fill), _translate_x_scale, signed=True),
    Operation("TranslateY", lambda x, m, fill: _translate(x, 0.0, m, fill), _translate_y_scale, signed=True),
    Operation("Rotate", lambda x, m, fill: functional.rotate(x, m, fill=_filling(fill)), _rising(30.0), signed=True),
    Operation("Brightness", lambda x, m, _fill: functional.adjust_brightness(x, 1.0 + m), _rising(0.9), signed=True),
    Operation("Color", lambda x, m, _fill: functional.adjust_saturation(x, 1.0 + m), _rising(0.9), signed=True),
    Operation("Contrast", lambda x, m, _fill: functional.adjust_contrast(x, 1.0 + m), _rising(0.9), signed=True),
    Operation("Sharpness", lambda x, m, _fill: functional.adjust_sharpness(x, 1.0 + m), _rising(0.9), signed=True),
    Operation("Posterize", lambda x, m, _fill: functional.posterize(x, int(m)), _posterize_scale),
    Operation("Solarize", lambda x, m, _fill: functional.solarize(x, 255.0 * m), _solarize_scale),
    Operation("AutoContrast", lambda x, _m, _fill: functional.autocontrast(x)),
    Operation("Equalize", lambda x, _m, _fill: functional.equalize(x)),
)
