"""Samples and a plane to draw."""

import io

import numpy as np
from PIL import Image

from saflex_cli.figures.samples import Plane, Samples


def make_samples(
    count: int = 6, shape: tuple[int, ...] = (1, 8, 8), names: tuple[str, ...] = ("cat", "dog", "owl"), seed: int = 0
) -> Samples:
    """Random ones; weights are 1, 0.5, 0 in turn, and labels soft."""
    rng = np.random.default_rng(seed)
    return Samples(
        index=rng.permutation(100)[:count],
        clean=rng.random((count, *shape)),
        augmented=rng.random((count, *shape)),
        upstream=rng.dirichlet(np.ones(len(names)), count),
        learned=rng.dirichlet(np.ones(len(names)), count),
        weights=np.resize([1.0, 0.5, 0.0], count),
        class_names=names,
    )


def make_plane(classes: int = 3) -> Plane:
    rng = np.random.default_rng(0)
    return Plane(
        points=rng.random((20, 2)),
        labels=rng.integers(classes, size=20),
        extent=(-0.5, 1.5, -0.5, 1.5),
        probabilities=rng.dirichlet(np.ones(classes), (10, 10)),
    )


def pixels(png: bytes) -> np.ndarray:
    """(H, W, 3), after a look at the signature."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
