"""RandAugment as the WILDS benchmark has it: magnitudes of their own for every operation, and always a cutout.

Facts from wilds at 4726775 (`examples/data_augmentation/randaugment.py`, `examples/transforms.py`), which follows
FixMatch's pool; it is no part of the wilds package. There the flip comes first, then a random crop that changes nothing
at equal size. Changed here: cutouts end at whole pixels, half-open; grey images get the fill's grey value.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from saflex_cli.augment.batch import AugmentedBatch
from saflex_cli.augment.intensity import as_uint8

FILL = (125, 123, 114)
"""Colour of cutouts; transformations let black in."""
_GREY_FILL = 123


@dataclass(frozen=True)
class WildsOperation:
    """What one operation does to one image, and between which magnitudes."""

    name: str
    apply: Callable[[Image.Image, float], Image.Image]
    low: float = 0.0
    high: float = 0.0

    def magnitude(self, share: float) -> float:
        """From a share in [0, 1) of the way from the smallest to the largest."""
        return self.low + (self.high - self.low) * share


@dataclass(frozen=True)
class WildsDraws:
    """Everything random of a batch; one row per image."""

    mirrored: Float[Tensor, " batch"]
    """Below `flip`: mirrored."""
    operations: Int[Tensor, "batch ops"]
    shares: Float[Tensor, "batch ops"]
    """Of the way between an operation's magnitudes."""
    cutouts: Float[Tensor, "batch 3"]
    """Side as a share of the largest, and the middle as shares of width and height."""


@dataclass(frozen=True)
class PerSampleWilds:
    """A mirror image by chance, `num_ops` of 14 operations drawn uniformly with replacement, then a cutout."""

    num_ops: int
    flip: float
    cutout: float
    """Largest side of a cutout as a share of the width; the side is uniform from 0 on."""

    def __call__(self, batch: AugmentedBatch, generator: torch.Generator) -> AugmentedBatch:
        """Augment a batch of images (B, C, H, W) with one or three channels on the CPU; either kind leaves as uint8."""
        images = as_uint8(batch.inputs).cpu()
        draws = draw_wilds(len(images), self.num_ops, generator)
        with ThreadPoolExecutor() as pool:  # Pillow works outside the interpreter's lock
            made = list(pool.map(lambda row: self.augmented(images[row], draws, row), range(len(images))))
        return replace(batch, inputs=torch.stack(made).to(batch.inputs.device))

    def augmented(
        self, image: UInt8[Tensor, "channels height width"], draws: WildsDraws, row: int
    ) -> UInt8[Tensor, "channels height width"]:
        """One image, by its row of the draws."""
        picture = Image.fromarray(image.permute(1, 2, 0).squeeze(2).numpy())
        if float(draws.mirrored[row]) < self.flip:
            picture = ImageOps.mirror(picture)
        for index, share in zip(draws.operations[row].tolist(), draws.shares[row].tolist(), strict=True):
            operation = WILDS_OPERATIONS[index]
            picture = operation.apply(picture, operation.magnitude(share))
        picture = _cut_out(picture, *draws.cutouts[row].tolist(), largest=self.cutout)
        return torch.from_numpy(np.array(picture)).view(*image.shape[1:], -1).permute(2, 0, 1)


def draw_wilds(size: int, num_ops: int, generator: torch.Generator) -> WildsDraws:
    """Uniform draws for a batch."""
    return WildsDraws(
        mirrored=torch.rand(size, generator=generator),
        operations=torch.randint(len(WILDS_OPERATIONS), (size, num_ops), generator=generator),
        shares=torch.rand(size, num_ops, generator=generator),
        cutouts=torch.rand(size, 3, generator=generator),
    )


def _cut_out(picture: Image.Image, side: float, x: float, y: float, *, largest: float) -> Image.Image:
    """A filled square, shifted into the image at its left and upper edge and cut off at the others."""
    width, height = picture.size
    pixels = int(side * largest * width)
    left, top = max(0, int(x * width - pixels / 2)), max(0, int(y * height - pixels / 2))
    box = (left, top, min(width, left + pixels), min(height, top + pixels))
    if pixels:
        picture = picture.copy()
        picture.paste(FILL if picture.mode == "RGB" else _GREY_FILL, box)
    return picture


def _moved(
    picture: Image.Image, *, x: tuple[float, float] = (0.0, 0.0), y: tuple[float, float] = (0.0, 0.0)
) -> Image.Image:
    """Affine, nearest pixel: x is (share of y, pixels) that is added to a pixel's column, y likewise to its row."""
    rows = (1, x[0], x[1], y[0], 1, y[1])
    return picture.transform(picture.size, Image.Transform.AFFINE, rows)


WILDS_OPERATIONS = (
    WildsOperation("AutoContrast", lambda image, _: ImageOps.autocontrast(image)),
    WildsOperation("Brightness", lambda image, m: ImageEnhance.Brightness(image).enhance(m), 0.05, 0.95),
    WildsOperation("Color", lambda image, m: ImageEnhance.Color(image).enhance(m), 0.05, 0.95),
    WildsOperation("Contrast", lambda image, m: ImageEnhance.Contrast(image).enhance(m), 0.05, 0.95),
    WildsOperation("Equalize", lambda image, _: ImageOps.equalize(image)),
    WildsOperation("Identity", lambda image, _: image),
    WildsOperation("Posterize", lambda image, m: ImageOps.posterize(image, int(m)), 4.0, 8.0),
    WildsOperation("Rotate", lambda image, m: image.rotate(m), -30.0, 30.0),
    WildsOperation("Sharpness", lambda image, m: ImageEnhance.Sharpness(image).enhance(m), 0.05, 0.95),
    WildsOperation("ShearX", lambda image, m: _moved(image, x=(m, 0.0)), -0.3, 0.3),
    WildsOperation("ShearY", lambda image, m: _moved(image, y=(m, 0.0)), -0.3, 0.3),
    WildsOperation("Solarize", lambda image, m: ImageOps.solarize(image, int(m)), 0.0, 256.0),
    WildsOperation("TranslateX", lambda image, m: _moved(image, x=(0.0, m * image.width)), -0.3, 0.3),
    WildsOperation("TranslateY", lambda image, m: _moved(image, y=(0.0, m * image.height)), -0.3, 0.3),
)
