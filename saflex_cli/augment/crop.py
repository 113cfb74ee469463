"""Random crop and flip, the standard augmentation of small images, on the images' device."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor
from torch.nn import functional

from saflex_cli.augment.batch import AugmentedBatch
from saflex_cli.augment.intensity import Images


@dataclass(frozen=True)
class RandomCrop:
    """Every image padded, cropped to its old size at a place of its own, and mirrored with probability `flip`."""

    padding: int
    flip: float
    fill: float
    """Intensity in [0, 1] of the padding."""

    def __call__(self, batch: AugmentedBatch, generator: torch.Generator) -> AugmentedBatch:
        """Crop and flip a batch of images (B, C, H, W); either kind stays what it is."""
        images = batch.inputs
        top, left = torch.randint(2 * self.padding + 1, (2, len(images)), generator=generator).to(images.device)
        mirrored = (torch.rand(len(images), generator=generator) < self.flip).to(images.device)
        fill = self.fill if images.is_floating_point() else round(255 * self.fill)
        padded = functional.pad(images, [self.padding] * 4, value=fill)
        height, width = images.shape[2:]
        return replace(batch, inputs=windows(padded, top, left, mirrored, size=(height, width)))


def windows(
    images: Images,
    top: Int[Tensor, " batch"],
    left: Int[Tensor, " batch"],
    mirrored: Bool[Tensor, " batch"],
    *,
    size: tuple[int, int],
) -> Float[Tensor, "batch channels rows columns"] | UInt8[Tensor, "batch channels rows columns"]:
    """The window of the given size (H, W) at each image's own place, mirrored horizontally where asked."""
    (height, width), device = size, images.device
    columns = torch.arange(width, device=device).expand(len(images), -1)
    columns = left[:, None] + torch.where(mirrored[:, None], width - 1 - columns, columns)
    rows = top[:, None] + torch.arange(height, device=device)
    samples = torch.arange(len(images), device=device)
    channels = torch.arange(images.shape[1], device=device)
    return images[samples[:, None, None, None], channels[:, None, None], rows[:, None, :, None], columns[:, None, None]]
