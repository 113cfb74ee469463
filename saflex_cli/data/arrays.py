"""Images of 0…255 with their classes, as the readers of files hand them over, and the step from there to splits."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from saflex_cli.config.images import Pixels
from saflex_cli.data.splits import PixelScale, Split, Splits
from saflex_cli.numpy_arrays import NDArray

SPLIT_NAMES = ("train", "val", "test")


@dataclass(frozen=True)
class Labelled:
    """Images, grey (N, H, W) or in colour (N, H, W, 3), and their classes."""

    images: UInt8[NDArray[np.uint8], "n height width *rgb"]
    labels: Int64[NDArray[np.int64], " n"]

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, chosen: NDArray[np.integer[Any]]) -> "Labelled":
        """Some of the samples."""
        return Labelled(self.images[chosen], self.labels[chosen])


@dataclass(frozen=True)
class ImageArrays:
    """A data set in three splits; all images have one shape."""

    train: Labelled
    val: Labelled
    test: Labelled
    class_names: tuple[str, ...]
    sha256: str
    """Of the file, or of the files, that the images came from."""


def to_splits(arrays: ImageArrays, pixels: Pixels) -> Splits:
    """Tensors (N, C, H, W) that stay uint8: whoever feeds the model divides by 255 and normalises by `scale`.

    Grey images have one channel, or with `rgb` three equal ones. Colour images have three in any case: `rgb: false`
    does not make them grey.
    """
    return Splits(
        train=_split(arrays.train, pixels),
        val=_split(arrays.val, pixels),
        test=_split(arrays.test, pixels),
        class_names=arrays.class_names,
        scale=PixelScale(pixels.mean, pixels.std),
        sha256=arrays.sha256,
    )


def _split(part: Labelled, pixels: Pixels) -> Split:
    return Split(_channels_first(part.images, rgb=pixels.rgb), torch.from_numpy(part.labels))


def _channels_first(
    images: UInt8[NDArray[np.uint8], "n height width *rgb"], *, rgb: bool
) -> UInt8[Tensor, "n channels height width"]:
    tensor = torch.from_numpy(images)
    if tensor.ndim == 4:
        return tensor.permute(0, 3, 1, 2).contiguous()
    grey = tensor.unsqueeze(1)
    return grey.repeat(1, 3, 1, 1) if rgb else grey
