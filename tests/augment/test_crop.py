"""Crop and flip equal torchvision's, image by image; places and flips are drawn uniformly."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms.v2 import functional as reference

from saflex_cli.augment.batch import clean_batch
from saflex_cli.augment.crop import RandomCrop, windows


def make_images(size: int, channels: int, height: int, width: int, dtype: torch.dtype) -> Tensor:
    images = torch.randint(256, (size, channels, height, width), generator=torch.Generator().manual_seed(0)).byte()
    return images if dtype == torch.uint8 else images / 255


def cropped(images: Tensor, seed: int = 0, *, padding: int = 4, flip: float = 0.5, fill: float = 0.0) -> Tensor:
    batch = clean_batch(images, torch.zeros(len(images), dtype=torch.long), classes=2)
    return RandomCrop(padding, flip, fill)(batch, torch.Generator().manual_seed(seed)).inputs


@given(
    height=st.integers(8, 32),
    width=st.integers(8, 32),
    channels=st.sampled_from([1, 3]),
    padding=st.integers(1, 5),
    dtype=st.sampled_from([torch.uint8, torch.float32]),
    seed=st.integers(0, 99),
)
def test_windows_equal_torchvision(
    height: int, width: int, channels: int, padding: int, dtype: torch.dtype, seed: int
) -> None:
    images = make_images(5, channels, height + 2 * padding, width + 2 * padding, dtype)
    generator = torch.Generator().manual_seed(seed)
    top, left = torch.randint(2 * padding + 1, (2, 5), generator=generator)
    mirrored = torch.rand(5, generator=generator) < 0.5
    expected = []
    for image, y, x, mirror in zip(images, top.tolist(), left.tolist(), mirrored.tolist(), strict=True):
        window = reference.crop(image, y, x, height, width)
        expected.append(reference.horizontal_flip(window) if mirror else window)
    assert torch.equal(windows(images, top, left, mirrored, size=(height, width)), torch.stack(expected))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_every_place_and_both_sides_equally_often(dtype: torch.dtype) -> None:
    """A bright pixel in the middle column but one tells where the window was, and whether it was mirrored."""
    image = torch.zeros(1, 1, 9, 9, dtype=dtype)
    image[0, 0, 4, 4], image[0, 0, 4, 5] = 1, 2 if dtype == torch.uint8 else 0.5
    result = cropped(image.expand(9000, -1, -1, -1), padding=1)
    peak = (result == 1).flatten(1).int().argmax(1)
    counts = torch.stack([peak // 9 - 3, peak % 9 - 3], dim=1).unique(dim=0, return_counts=True)
    assert counts[0].tolist() == [[y, x] for y in range(3) for x in range(3)]
    assert (counts[1] / 9000 - 1 / 9).abs().max() < 0.012
    second = ((result != 0) & (result != 1)).flatten(1).int().argmax(1)
    assert (second - peak).abs().unique().tolist() == [1]
    assert abs((second < peak).float().mean() - 0.5) < 0.02


@pytest.mark.parametrize(("dtype", "expected"), [(torch.uint8, 102), (torch.float32, 0.4)])
def test_the_padding_is_filled(dtype: torch.dtype, expected: float) -> None:
    result = cropped(torch.zeros(50, 3, 8, 8, dtype=dtype), fill=0.4)
    assert result.dtype == dtype
    torch.testing.assert_close(result.max().item(), expected, atol=1e-6, rtol=0)
    assert result.min() == 0


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_never_and_always_mirrored(flip: float) -> None:
    images = torch.arange(8.0).div(8).expand(20, 1, 8, 8)
    direction = cropped(images, padding=1, flip=flip)[:, 0, 4, 2:6].diff(dim=1).sign()
    assert torch.equal(direction, torch.full((20, 3), 1.0 - 2 * flip))


def test_the_generator_decides() -> None:
    images = make_images(16, 3, 28, 28, torch.uint8)
    torch.rand(3)
    assert torch.equal(cropped(images, seed=1), cropped(images, seed=1))
    assert not torch.equal(cropped(images, seed=1), cropped(images, seed=2))
