"""Images in one sub-folder per class, or in train, val and test folders of such sub-folders."""

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from saflex_cli.config.components import ImageFolderData
from saflex_cli.data.arrays import SPLIT_NAMES, ImageArrays, Labelled, to_splits
from saflex_cli.data.carve import carve
from saflex_cli.data.splits import Splits
from saflex_cli.errors import DataError
from saflex_cli.numpy_arrays import NDArray

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"}
_GREY = {"1", "L", "LA"}
_DEEP = ("I", "F")
_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)

_Picture = UInt8[NDArray[np.uint8], "size size ..."]


def image_folder(config: ImageFolderData, root: Path) -> Splits:
    """Read the folder that a recipe names.

    Classes are the sub-folders in alphabetical order, images the PNG, JPEG, BMP, TIFF and WebP files in them; other and
    hidden files are passed over. All images are resized to one square. They are grey if every one of them is, and
    otherwise all in colour. Splits that the folder lacks are carved out of the training images as `carve` says.

    Raises:
        DataError: names the folder or file: missing, empty, unreadable, more than 8 bits per channel, a class that
            `train` lacks, or splits that cannot be carved.
    """
    folder = root / config.path
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; make it, or correct data.path or the data root")
    sources = _split_folders(folder)
    class_names = tuple(path.name for path in _sub_folders(sources["train"]))
    digest = hashlib.sha256()
    images = {
        name: [(_read(path, config.size, digest, folder), label) for path, label in _listed(source, class_names)]
        for name, source in sources.items()
    }
    grey = all(pixels.ndim == 2 for part in images.values() for pixels, _ in part)
    parts = {name: _stacked(part, grey=grey) for name, part in images.items()}
    parts = carve(parts, config, source=str(folder))
    arrays = ImageArrays(parts["train"], parts["val"], parts["test"], class_names, digest.hexdigest())
    return to_splits(arrays, config)


def _split_folders(folder: Path) -> dict[str, Path]:
    found = {path.name: path for path in _sub_folders(folder)}
    if "train" not in found:
        return {"train": folder}
    if others := sorted(set(found) - set(SPLIT_NAMES)):
        raise DataError(f"{found[others[0]]}: beside train there may be val and test alone; rename or move this folder")
    return {name: found[name] for name in SPLIT_NAMES if name in found}


def _sub_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _listed(source: Path, class_names: tuple[str, ...]) -> list[tuple[Path, int]]:
    listed = []
    for folder in _sub_folders(source):
        if folder.name not in class_names:
            raise DataError(f"{folder}: a class without training images; the classes are {', '.join(class_names[:10])}")
        images = sorted(path for path in folder.iterdir() if _is_image(path))
        if not images:
            raise DataError(
                f"{folder}: holds no images ({', '.join(sorted(_SUFFIXES))}); add some, or remove the folder"
            )
        listed += [(path, class_names.index(folder.name)) for path in images]
    if not listed:
        raise DataError(f"{source}: holds no sub-folders with images; make one per class, named as the class is")
    return listed


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and not path.name.startswith(".") and path.is_file()


def _read(path: Path, size: int, digest: Any, folder: Path) -> _Picture:  # noqa: ANN401 - hashlib names no type
    """_Picture of one image; its place and its bytes go into the digest."""
    try:
        content = path.read_bytes()
        with Image.open(BytesIO(content)) as image:
            if image.mode.startswith(_DEEP):
                raise DataError(f"{path}: has more than 8 bits per channel ({image.mode}); convert it to 8 bits")
            pixels = image.convert("L" if image.mode in _GREY else "RGB")
    except _UNREADABLE as error:
        raise DataError(f"{path}: cannot be read as an image ({error}); remove or replace it") from error
    digest.update(f"{path.relative_to(folder).as_posix()}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return np.array(pixels.resize((size, size), Image.Resampling.BILINEAR))


def _stacked(part: list[tuple[_Picture, int]], *, grey: bool) -> Labelled:
    images = [pixels if grey or pixels.ndim == 3 else np.stack([pixels] * 3, axis=2) for pixels, _ in part]
    return Labelled(np.stack(images), np.array([label for _, label in part], dtype=np.int64))
