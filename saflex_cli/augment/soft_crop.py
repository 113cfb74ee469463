"""Soft-Augmentation by cropping (Liu et al., CVPR 2023): the less is left of an image, the softer its label.

Facts from the published code (youngleox/soft_augmentation at 1dcf469, cifar/). Left open there or changed here: shifts
are rounded to whole pixels; the background is one intensity instead of a colour drawn within a hundredth of a standard
deviation; a label that is soft already is mixed by the same rule.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from saflex_cli.augment.batch import AugmentedBatch
from saflex_cli.augment.crop import windows

_NARROWED = 1 / 1000
_TRIES = 100


@dataclass(frozen=True)
class SoftShift:
    """Every image shifted by a normal number of pixels; label and weight follow the share that stays visible."""

    sigma: float
    """Standard deviation of the shift along each side, as a share of the side."""
    power: float
    flip: float
    fill: float
    """Intensity in [0, 1] of what comes from outside."""
    narrow_from: int | None = None
    """First epoch, counted from 0, with a thousandth of σ."""

    def at_epoch(self, epoch: int) -> "SoftShift":
        """The shift of one epoch."""
        narrow = self.narrow_from is not None and epoch >= self.narrow_from
        return replace(self, sigma=self.sigma * _NARROWED, narrow_from=None) if narrow else self

    def __call__(self, batch: AugmentedBatch, generator: torch.Generator) -> AugmentedBatch:
        """Shift and flip a batch of images (B, C, H, W); either kind stays what it is."""
        images = batch.inputs
        height, width = images.shape[2:]
        down = draw_shifts(len(images), height, self.sigma, generator)
        right = draw_shifts(len(images), width, self.sigma, generator)
        mirrored = (torch.rand(len(images), generator=generator) < self.flip).to(images.device)
        fill = self.fill if images.is_floating_point() else round(255 * self.fill)
        canvas = functional.pad(images, [width, width, height, height], value=fill)
        top, left = (height + down).to(images.device), (width + right).to(images.device)
        visible = (1 - down.abs() / height) * (1 - right.abs() / width)
        confidence = confidences(visible, batch.soft_labels.shape[1], self.power).to(batch.soft_labels)
        return replace(
            batch,
            inputs=windows(canvas, top, left, mirrored, size=(height, width)),
            soft_labels=soften(batch.soft_labels, confidence),
            sample_weights=batch.sample_weights * confidence,
        )


def draw_shifts(count: int, side: int, sigma: float, generator: torch.Generator) -> Int[Tensor, " count"]:
    """Whole pixels from N(0, (σ side)²), drawn again while they leave nothing to see, and 0 after a hundred tries."""
    shifts = torch.full((count,), side + 1)
    for _ in range(_TRIES):
        outside = shifts.abs() > side
        if not bool(outside.any()):
            break
        drawn = (torch.randn(count, generator=generator) * sigma * side).round().long()
        shifts = torch.where(outside, drawn, shifts)
    return torch.where(shifts.abs() > side, 0, shifts)


def confidences(visible: Float[Tensor, " batch"], classes: int, power: float) -> Float[Tensor, " batch"]:
    """1 − (1 − 1/K)(1 − v)^k: certain where all is visible, chance where nothing is."""
    return 1 - (1 - 1 / classes) * (1 - visible) ** power


def soften(
    labels: Float[Tensor, "batch classes"], confidence: Float[Tensor, " batch"]
) -> Float[Tensor, "batch classes"]:
    """The label times p, and the rest spread evenly over the other classes.

    Worked case: with three classes and confidence 0.8, (1, 0, 0) becomes (0.8, 0.1, 0.1).
    """
    others = (1 - labels) / (labels.shape[1] - 1)
    return torch.lerp(others, labels, confidence[:, None])
