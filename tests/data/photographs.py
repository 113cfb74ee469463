"""Small image files in the exact layouts of the data sets that are read from disk."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

HEADER = (
    *("split", "location_remapped", "location", "sequence_remapped", "seq_id"),
    *("y", "category_id", "datetime", "filename", "image_id"),
)
"""Of iWildCam's metadata.csv, after the unnamed index."""


def save(path: Path, value: int = 0, *, mode: str = "RGB", size: tuple[int, int] = (12, 8)) -> Path:
    """An image of one grey value; (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, (value,) * 3 if mode == "RGB" else value).save(path)
    return path


def noise(path: Path, *, size: tuple[int, int] = (64, 64)) -> Path:
    """An image that compresses badly, so that its file can be cut in the middle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cub_lists(folder: Path, images: Sequence[tuple[str, int, int]], classes: Sequence[str]) -> Path:
    """The four official lists; an image is (file, class number from 1, 1 for training)."""
    folder.mkdir(parents=True, exist_ok=True)
    lists: dict[str, Iterable[object]] = {
        "classes": classes,
        "images": [file for file, _, _ in images],
        "image_class_labels": [label for _, label, _ in images],
        "train_test_split": [side for _, _, side in images],
    }
    for name, values in lists.items():
        lines = (f"{number} {value}\n" for number, value in enumerate(values, start=1))
        (folder / f"{name}.txt").write_text("".join(lines))
    return folder


def metadata(path: Path, rows: Sequence[tuple[str, int, str]], *, header: Sequence[str] = HEADER) -> Path:
    """iWildCam's metadata.csv; a row is (split, y, filename). Camera: the row's number; sequence: twice that."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["", *header])
        for number, (split, y, filename) in enumerate(rows):
            facts = [split, number, 499, 2 * number, "2ffe-11eb", y, 111, "2013-02-04 13:00:49.000", filename, filename]
            writer.writerow([number, *facts[: len(header)]])
    return path


def names_table(path: Path, names: Sequence[str], *, beyond: Sequence[str] = ("opossum",)) -> Path:
    """FLYP's table of names: the classes, then species without one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [(label, name) for label, name in enumerate(names)] + [(99999, name) for name in beyond]
    path.write_text("".join(["y,category_id,name,english\n", *(f"{y},{y},latin,{name}\n" for y, name in rows)]))
    return path
