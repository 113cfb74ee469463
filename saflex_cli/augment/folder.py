"""Samples made beforehand by another program, read from a folder of images."""

import csv
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int, UInt8
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.nn import functional

from saflex_cli.augment.batch import AugmentedBatch
from saflex_cli.augment.intensity import like
from saflex_cli.augment.pool import draw_places
from saflex_cli.errors import DataError

_SUFFIXES = {".png", ".jpg", ".jpeg"}


@dataclass(frozen=True)
class SamplePool:
    """Pre-made samples; each batch is replaced by as many of them, drawn at random, each once where possible."""

    inputs: UInt8[Tensor, "n channels height width"]
    labels: Int[Tensor, " n"]

    @property
    def sha256(self) -> str:
        """Of the decoded images and their classes."""
        content = self.inputs.numpy().tobytes() + self.labels.numpy().tobytes()
        return hashlib.sha256(content).hexdigest()

    def __call__(self, batch: AugmentedBatch, generator: torch.Generator) -> AugmentedBatch:
        """As many samples of the pool as the batch has, of the batch's kind, with the pool's labels."""
        size, classes = batch.soft_labels.shape
        chosen = draw_places(len(self.labels), size, generator)
        rows = functional.one_hot(self.labels[chosen], classes)
        return replace(
            batch,
            inputs=like(self.inputs[chosen], batch.inputs),
            soft_labels=rows.to(batch.soft_labels),
            true_labels=None,
        )


def read_pool(
    folder: Path, *, shape: tuple[int, ...], class_names: tuple[str, ...]
) -> tuple[UInt8[Tensor, "n channels height width"], Int[Tensor, " n"]]:
    """Images of the given shape (C, H, W), and their classes.

    The folder holds `labels.csv` (columns `file`, `label`), or one sub-folder per class; classes are given by number
    or name.

    Raises:
        DataError: names the file: no folder, no images, an unreadable image, another size, an unknown class.
    """
    if not folder.is_dir():
        raise DataError(f"augmenter.path: no folder {folder}; make it, or correct the path")
    table = folder / "labels.csv"
    listed = _from_table(table) if table.is_file() else _from_subfolders(folder)
    if not listed:
        raise DataError(f"{folder}: holds neither a labels.csv nor sub-folders with PNG or JPEG images")
    classes = [_class_number(name, class_names, path) for path, name in listed]
    images = torch.stack([_read_image(path, shape) for path, _ in listed])
    return images, torch.tensor(classes)


def _from_table(table: Path) -> list[tuple[Path, str]]:
    try:
        reader = csv.DictReader(table.read_text(encoding="utf-8").splitlines())
        names, rows = reader.fieldnames or [], list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table}: is not a CSV file in UTF-8; write the columns file and label") from error
    if not {"file", "label"} <= set(names):
        raise DataError(f"{table}: needs the columns file and label, and has {list(names)}")
    for number, row in enumerate(rows, start=2):
        if not row.get("file") or not row.get("label"):
            raise DataError(f"{table}:{number}: needs a file and a label in the columns of these names, and has {row}")
    return [(table.parent / row["file"], row["label"]) for row in rows]


def _from_subfolders(folder: Path) -> list[tuple[Path, str]]:
    images = sorted(path for path in folder.glob("*/*") if path.suffix.lower() in _SUFFIXES)
    return [(path, path.parent.name) for path in images]


def _class_number(name: str, class_names: tuple[str, ...], path: Path) -> int:
    if name in class_names:
        return class_names.index(name)
    if name.isdecimal() and int(name) < len(class_names):
        return int(name)
    raise DataError(
        f"{path}: unknown class {name!r}; use 0…{len(class_names) - 1} or one of {', '.join(class_names[:10])}"
    )


def _read_image(path: Path, shape: tuple[int, ...]) -> UInt8[Tensor, "channels height width"]:
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("L" if shape[0] == 1 else "RGB"))
    except (UnidentifiedImageError, OSError) as error:
        raise DataError(f"{path}: cannot be read as an image ({error}); remove or replace it") from error
    tensor = torch.from_numpy(pixels.copy()).view(*pixels.shape[:2], -1).permute(2, 0, 1)
    if tuple(tensor.shape) != shape:
        raise DataError(f"{path}: is {tuple(tensor.shape)} (channels, height, width), but the data set has {shape}")
    return tensor
