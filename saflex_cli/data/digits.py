"""scikit-learn's digits: 1,797 real 8 × 8 grey images in ten classes (UCI optdigits, test part), no download."""

import hashlib

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from saflex_cli.config.components import DigitsData
from saflex_cli.data.splits import PixelScale, Split, Splits
from saflex_cli.errors import DataError
from saflex_cli.numpy_arrays import NDArray
from saflex_cli.seeding import Streams

_SCALE = PixelScale()


def digits(config: DigitsData, seed: int) -> Splits:
    """Load and split, class by class; the split depends on `split_seed`, or else on the run's seed.

    Raises:
        DataError: if the sizes leave no test images, or fewer than one image per class.
    """
    loaded = load_digits()
    images = loaded.images.astype(np.uint8)  # (1797, 8, 8), 0…16
    labels = loaded.target.astype(np.int64)
    if min(config.train, config.val, len(labels) - config.train - config.val) < 10:
        raise DataError(
            f"digits has {len(labels)} images: data.train = {config.train} and data.val = {config.val} must leave at "
            "least 10 for each of train, val and test"
        )
    number = Streams(seed if config.split_seed is None else config.split_seed).number("split") % 2**32
    rows = np.arange(len(labels))
    train, rest = train_test_split(rows, train_size=config.train, stratify=labels, random_state=number)
    val, test = train_test_split(rest, train_size=config.val, stratify=labels[rest], random_state=number)
    return Splits(
        train=_split(images, labels, train),
        val=_split(images, labels, val),
        test=_split(images, labels, test),
        class_names=tuple("0123456789"),
        scale=_SCALE,
        sha256=hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest(),
    )


def _split(images: NDArray[np.uint8], labels: NDArray[np.int64], rows: NDArray[np.int64]) -> Split:
    intensity = torch.from_numpy(images[rows]).float().div(16).unsqueeze(1)
    return Split(intensity, torch.from_numpy(labels[rows]))
