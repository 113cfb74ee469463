"""Files in MedMNIST's format: `{train,val,test}_{images,labels}` in one npz."""

import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from saflex_cli.config.components import NpzData
from saflex_cli.config.images import Carved
from saflex_cli.data.arrays import SPLIT_NAMES, ImageArrays, Labelled, to_splits
from saflex_cli.data.carve import carve
from saflex_cli.data.splits import Splits
from saflex_cli.errors import DataError
from saflex_cli.numpy_arrays import NDArray

_BROKEN = (OSError, ValueError, EOFError, KeyError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error)


def npz(config: NpzData, root: Path) -> Splits:
    """Read the file that a recipe names; splits that it lacks are carved out of `train`.

    Raises:
        DataError: as for `read_npz`.
    """
    return to_splits(read_npz(root / config.path, carved=config), config)


def read_npz(path: Path, *, carved: Carved | None = None, class_names: tuple[str, ...] | None = None) -> ImageArrays:
    """Read and check a file in MedMNIST's format; nothing in it is unpickled.

    Images are uint8, (N, H, W) or (N, H, W, 3); labels are integers, (N, 1) or (N,). A file may lack `val`, `test` or
    both: they are then carved out of `train` as `carve` says. Without `class_names` there are as many classes as the
    largest label in any split says, named "0", "1", …

    Args:
        path: The file.
        carved: How missing splits are carved; None refuses a file without them.
        class_names: Names of all classes, in the order of their labels.

    Raises:
        DataError: names the file and the array: missing, truncated, wrong keys, dtypes, shapes or lengths, several
            labels per image, labels that are not 0…K−1, or splits that cannot be carved.
    """
    arrays = _read_arrays(path)
    parts = {name: _labelled(arrays, name, path) for name in SPLIT_NAMES if f"{name}_images" in arrays}
    shapes = {name: part.images.shape[1:] for name, part in parts.items()}
    if len(set(shapes.values())) > 1:
        raise DataError(f"{path}: images differ in shape between the splits ({shapes}); make them equal")
    names = class_names or _numbered_classes(parts, path)
    _check_labels(parts, names, path)
    if missing := [name for name in SPLIT_NAMES if name not in parts]:
        if carved is None:
            raise DataError(f"{path}: has no {missing[0]}_images; an official file has train, val and test")
        parts = carve(parts, carved, source=str(path))
    return ImageArrays(parts["train"], parts["val"], parts["test"], class_names=names, sha256=_sha256(path))


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    if not path.is_file():
        raise DataError(f"{path}: no such file; put it there, or correct data.path or the data root")
    try:
        with path.open("rb") as handle:
            if not zipfile.is_zipfile(handle):
                raise DataError(f"{path}: not an npz file, or a truncated one; fetch or write it again")
            handle.seek(0)
            with np.load(handle, allow_pickle=False) as file:
                return {key: file[key] for key in _checked_keys(file.files, path)}
    except _BROKEN as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch or write it again") from error


def _checked_keys(found: list[str], path: Path) -> list[str]:
    keys = [key for key in found if key.endswith(("_images", "_labels"))]
    known = [f"{name}_{kind}" for name in SPLIT_NAMES for kind in ("images", "labels")]
    needed = {"train_images", "train_labels"}
    needed |= {key.replace("_images", "_labels") for key in keys} | {key.replace("_labels", "_images") for key in keys}
    unknown, missing = sorted(set(keys) - set(known)), sorted(needed - set(keys))
    if unknown or missing:
        problem = f"unknown array {unknown[0]}" if unknown else f"no array {missing[0]}"
        raise DataError(f"{path}: {problem} (it has {', '.join(found) or 'none'}); the format has {', '.join(known)}")
    return keys


def _labelled(arrays: dict[str, NDArray[Any]], name: str, path: Path) -> Labelled:
    images, labels = arrays[f"{name}_images"], arrays[f"{name}_labels"]
    _check_images(images, f"{path}: {name}_images")
    classes = _one_label_each(labels, f"{path}: {name}_labels")
    if len(images) != len(classes):
        raise DataError(f"{path}: {name} has {len(images)} images but {len(classes)} labels; write the file again")
    return Labelled(images, classes)


def _check_images(images: NDArray[Any], what: str) -> None:
    if getattr(images, "dtype", None) != np.uint8:
        raise DataError(f"{what}: dtype {getattr(images, 'dtype', 'unknown')}; images are uint8, 0…255")
    if images.ndim != 3 and not (images.ndim == 4 and images.shape[3] == 3):
        raise DataError(
            f"{what}: shape {images.shape}; images are (N, H, W) or (N, H, W, 3), not volumes (as MedMNIST's 3-D sets "
            "are) and not with channels first"
        )
    if images.size == 0:
        raise DataError(f"{what}: is empty (shape {images.shape}); leave the split out, or fill it")


def _one_label_each(labels: NDArray[Any], what: str) -> NDArray[np.int64]:
    if getattr(labels, "dtype", np.dtype(object)).kind not in "iu":
        raise DataError(f"{what}: dtype {getattr(labels, 'dtype', 'unknown')}; labels are integers, 0…K−1")
    if labels.ndim == 2 and labels.shape[1] > 1:
        raise DataError(
            f"{what}: {labels.shape[1]} labels per image, a multi-label set (as ChestMNIST is); saflex trains on one "
            "class per image, so write labels (N, 1)"
        )
    if labels.ndim not in (1, 2) or labels.size != len(labels):
        raise DataError(f"{what}: shape {labels.shape}; labels are (N, 1) or (N,)")
    return labels.reshape(-1).astype(np.int64)


def _numbered_classes(parts: dict[str, Labelled], path: Path) -> tuple[str, ...]:
    """K = the largest label + 1; a gap is refused, as it betrays a file numbered from 1, or with 0 and 255."""
    used = np.unique(np.concatenate([part.labels for part in parts.values()]))
    if not np.array_equal(used, np.arange(len(used))):
        shown = ", ".join(map(str, used[:10])) + (", …" if len(used) > 10 else "")
        raise DataError(f"{path}: has labels {shown}; number the classes 0…{len(used) - 1} without gaps")
    return tuple(map(str, range(len(used))))


def _check_labels(parts: dict[str, Labelled], class_names: tuple[str, ...], path: Path) -> None:
    for name, part in parts.items():
        if wrong := sorted(set(part.labels.tolist()) - set(range(len(class_names)))):
            raise DataError(f"{path}: {name}_labels has label {wrong[0]}; the classes are 0…{len(class_names) - 1}")


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
