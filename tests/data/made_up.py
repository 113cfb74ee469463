"""Small made-up files in MedMNIST's exact format."""

from pathlib import Path

import numpy as np

from saflex_cli.numpy_arrays import NDArray


def arrays(*, classes: int = 3, per_class: int = 10, size: int = 6, rgb: bool = False) -> dict[str, NDArray[np.uint8]]:
    """Images whose first pixel is their class, `per_class` of each class in every split; labels uint8, (N, 1)."""
    random, made = np.random.default_rng(0), {}
    for name in ("train", "val", "test"):
        labels = np.repeat(np.arange(classes, dtype=np.uint8), per_class)
        images = random.integers(0, 256, (len(labels), size, size, *([3] if rgb else [])), dtype=np.uint8)
        images[:, 0, 0] = labels[:, None] if rgb else labels
        made |= {f"{name}_images": images, f"{name}_labels": labels[:, None]}
    return made


def write(path: Path, made: dict[str, NDArray[np.uint8]]) -> Path:
    """As MedMNIST's own files are written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **made)
    return path
