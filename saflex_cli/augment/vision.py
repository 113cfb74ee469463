"""Augmentations of image batches, on the images' device."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from saflex_cli.augment.batch import AugmentedBatch
from saflex_cli.augment.intensity import as_float, like


@dataclass(frozen=True)
class RandomRotation:
    """Every image by an angle of its own, uniform in ±degrees, about its centre, bilinear."""

    degrees: float
    fill: float
    """Intensity in [0, 1] of what comes from outside."""

    def __call__(self, batch: AugmentedBatch, generator: torch.Generator) -> AugmentedBatch:
        """Rotate a batch of images (B, C, H, W); either kind stays what it is."""
        angles = (torch.rand(len(batch.inputs), generator=generator) * 2 - 1) * math.radians(self.degrees)
        images = as_float(batch.inputs)
        rotated = rotate(images - self.fill, angles.to(images)) + self.fill
        return replace(batch, inputs=like(rotated, batch.inputs))


def rotate(
    images: Float[Tensor, "batch channels height width"], radians: Float[Tensor, " batch"]
) -> Float[Tensor, "batch channels height width"]:
    """Rotate each image counter-clockwise by its angle; zeros come in from outside.

    Equal to torchvision's `rotate` with bilinear interpolation, with one angle per image.
    """
    cos, sin, zero = radians.cos(), radians.sin(), torch.zeros_like(radians)
    aspect = images.shape[3] / images.shape[2]
    rows = torch.stack([cos, -sin / aspect, zero, sin * aspect, cos, zero], dim=1)
    grid = functional.affine_grid(rows.view(-1, 2, 3), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
