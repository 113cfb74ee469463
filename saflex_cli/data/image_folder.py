"""Images in one sub-folder per class, or in train, val and test folders of such sub-folders."""

import hashlib
from pathlib import Path

import numpy as np

from saflex_cli.config.images import ImageFolderData
from saflex_cli.data.arrays import SPLIT_NAMES, ImageArrays, Labelled, to_splits
from saflex_cli.data.carve import carve
from saflex_cli.data.class_names import named_folders
from saflex_cli.data.pictures import Picture, in_colour, read_pictures
from saflex_cli.data.splits import Splits
from saflex_cli.errors import DataError

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"}


def image_folder(config: ImageFolderData, root: Path) -> Splits:
    """Read the folder that a recipe names.

    Classes are the sub-folders in alphabetical order, images the PNG, JPEG, BMP, TIFF and WebP files in them; other and
    hidden files are passed over. All images are made squares of one size. They are grey if every one of them is, and
    otherwise all in colour. Splits that the folder lacks are carved out of the training images as `carve` says.

    Raises:
        DataError: names the folder or file: missing, empty, unreadable, more than 8 bits per channel, a class that
            `train` lacks, class names that do not fit, or splits that cannot be carved.
    """
    folder = root / config.path
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; make it, or correct data.path or the data root")
    sources = _split_folders(folder)
    sub_folders = tuple(path.name for path in _sub_folders(sources["train"]))
    listed = {name: _listed(source, sub_folders) for name, source in sources.items()}
    class_names = sub_folders if config.class_names is None else named_folders(root / config.class_names, sub_folders)
    pictures, contents = {}, ""
    for name, images in listed.items():
        pictures[name], content = read_pictures((path for path, _ in images), config.size, config.fit, base=folder)
        contents += content
    grey = all(picture.ndim == 2 for part in pictures.values() for picture in part)
    parts = {name: _stacked(part, [label for _, label in listed[name]], grey=grey) for name, part in pictures.items()}
    parts = carve(parts, config, source=str(folder))
    digest = hashlib.sha256(contents.encode()).hexdigest()
    arrays = ImageArrays(parts["train"], parts["val"], parts["test"], class_names, digest)
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


def _stacked(pictures: list[Picture], labels: list[int], *, grey: bool) -> Labelled:
    images = pictures if grey else [in_colour(picture) for picture in pictures]
    return Labelled(np.stack(images), np.array(labels, dtype=np.int64))
