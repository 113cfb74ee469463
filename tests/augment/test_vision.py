"""Rotation equals torchvision's, angle by angle, and stays within its range."""

import math

import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as reference

from saflex_cli.augment.batch import clean_batch
from saflex_cli.augment.vision import RandomRotation, rotate


@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 7), (6, 10), (28, 28)])
def test_equals_torchvision(height: int, width: int) -> None:
    images = torch.rand(5, 3, height, width, generator=torch.Generator().manual_seed(0))
    degrees = torch.tensor([0.0, 30.0, -75.0, 90.0, 180.0])
    expected = torch.stack(
        [
            reference.rotate(image, angle.item(), interpolation=InterpolationMode.BILINEAR)
            for image, angle in zip(images, degrees, strict=True)
        ]
    )
    torch.testing.assert_close(rotate(images, degrees * math.pi / 180), expected, atol=2e-5, rtol=0)


def test_zero_degrees_changes_nothing() -> None:
    batch = clean_batch(torch.rand(4, 1, 8, 8), torch.tensor([0, 1, 2, 0]), classes=3)
    rotated = RandomRotation(degrees=0.0, fill=0.0)(batch, torch.Generator().manual_seed(0))
    torch.testing.assert_close(rotated.inputs, batch.inputs)
    assert torch.equal(rotated.soft_labels, batch.soft_labels)


def test_every_image_has_an_angle_of_its_own_and_corners_are_filled() -> None:
    batch = clean_batch(torch.full((64, 1, 8, 8), 0.5), torch.zeros(64, dtype=torch.long), classes=2)
    rotated = RandomRotation(degrees=45.0, fill=1.0)(batch, torch.Generator().manual_seed(0)).inputs
    assert len({tuple(image.flatten().tolist()) for image in rotated}) == 64
    assert 0.9 < rotated.max() <= 1 + 1e-6
    assert rotated.min() >= 0.5 - 1e-6
    assert rotated[:, 0, 4, 4].sub(0.5).abs().max() < 1e-5


def test_uint8_images_are_rotated_as_their_intensities_are_and_rounded() -> None:
    images = torch.randint(256, (16, 3, 9, 7), generator=torch.Generator().manual_seed(0)).byte()
    labels = torch.zeros(16, dtype=torch.long)
    step = RandomRotation(degrees=60.0, fill=0.3)
    whole = step(clean_batch(images, labels, classes=2), torch.Generator().manual_seed(1)).inputs
    real = step(clean_batch(images / 255, labels, classes=2), torch.Generator().manual_seed(1)).inputs
    assert whole.dtype == torch.uint8
    assert real.dtype == torch.float32
    assert (whole.float() - 255 * real).abs().max() <= 0.5 + 1e-3
