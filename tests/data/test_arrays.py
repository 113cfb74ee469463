"""Arrays become uint8 tensors with channels first; grey becomes RGB only where it is asked for."""

import numpy as np
import pytest
import torch

from saflex_cli.config.images import Pixels
from saflex_cli.data.arrays import ImageArrays, Labelled, to_splits
from saflex_cli.data.splits import PixelScale
from tests.data.made_up import arrays


def image_arrays(*, rgb: bool) -> ImageArrays:
    made = arrays(rgb=rgb)
    parts = [
        Labelled(made[f"{name}_images"], made[f"{name}_labels"].reshape(-1).astype(np.int64))
        for name in ("train", "val", "test")
    ]
    return ImageArrays(*parts, class_names=("a", "b", "c"), sha256="sum")


@pytest.mark.parametrize(
    ("colour_file", "rgb", "channels"), [(False, False, 1), (False, True, 3), (True, False, 3), (True, True, 3)]
)
def test_channels(colour_file: bool, rgb: bool, channels: int) -> None:
    source = image_arrays(rgb=colour_file)
    splits = to_splits(source, Pixels(rgb=rgb))
    for part, images in ((splits.train, source.train.images), (splits.test, source.test.images)):
        assert part.inputs.dtype == torch.uint8
        assert part.inputs.shape == (30, channels, 6, 6)
        assert part.inputs.is_contiguous()
        for channel in range(channels):
            expected = images[..., channel] if colour_file else images
            assert np.array_equal(part.inputs[:, channel].numpy(), expected)


def test_the_facts_travel_along() -> None:
    splits = to_splits(image_arrays(rgb=False), Pixels(mean=0.25, std=0.125))
    assert splits.scale == PixelScale(0.25, 0.125)
    assert splits.class_names == ("a", "b", "c")
    assert splits.sha256 == "sum"
    assert splits.train.labels.tolist() == sorted([0, 1, 2] * 10)
