"""A mixture of Gaussians in the plane: data that can be looked at as they are."""

import hashlib
import math

import numpy as np
import torch
from jaxtyping import Float64, Int64
from sklearn.model_selection import train_test_split

from saflex_cli.config.components import GaussiansData
from saflex_cli.data.splits import PixelScale, Split, Splits
from saflex_cli.errors import DataError
from saflex_cli.numpy_arrays import NDArray
from saflex_cli.seeding import Streams

Points = Float64[NDArray[np.float64], "n 2"]
Labels = Int64[NDArray[np.int64], " n"]


def gaussians(config: GaussiansData, seed: int) -> Splits:
    """Draw the pool, and split it class by class; the split depends on `split_seed`, or else on the run's seed.

    Inputs are float vectors (N, 2), and the model takes them as they are.

    Raises:
        DataError: if a split is smaller than the number of classes.
    """
    if min(config.train, config.val, config.test) < config.classes:
        raise DataError(f"gaussians: data.train, data.val and data.test need at least {config.classes} points each")
    points, labels = pool(config)
    number = Streams(seed if config.split_seed is None else config.split_seed).number("split") % 2**32
    rows = np.arange(len(labels))
    train, rest = train_test_split(rows, train_size=config.train, stratify=labels, random_state=number)
    val, test = train_test_split(rest, train_size=config.val, stratify=labels[rest], random_state=number)
    return Splits(
        train=_split(points, labels, train),
        val=_split(points, labels, val),
        test=_split(points, labels, test),
        class_names=tuple(map(str, range(config.classes))),
        scale=PixelScale(mean=0.0, std=1.0),
        sha256=hashlib.sha256(points.astype(np.float32).tobytes() + labels.tobytes()).hexdigest(),
    )


def pool(config: GaussiansData) -> tuple[Points, Labels]:
    """All points, the same for every seed, with classes of equal size (to one point).

    Class k of K has its centre at the angle 2π k / K + π / 2: the first one lies at the top.
    """
    labels = np.arange(config.train + config.val + config.test, dtype=np.int64) % config.classes
    angles = [2 * math.pi * k / config.classes + math.pi / 2 for k in range(config.classes)]
    centres = np.array([[math.cos(angle), math.sin(angle)] for angle in angles])
    noise = np.random.default_rng(Streams(0).number("split", "pool")).standard_normal((len(labels), 2))
    return centres[labels] + config.spread * noise, labels


def _split(points: Points, labels: Labels, rows: Int64[NDArray[np.int64], " chosen"]) -> Split:
    return Split(torch.from_numpy(points[rows]).float(), torch.from_numpy(labels[rows]))
