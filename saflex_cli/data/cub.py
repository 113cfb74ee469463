"""Caltech-UCSD Birds-200-2011 (Wah et al. 2011): 11,788 photographs of 200 birds, in the official layout.

Source of the held-back images: ALIA (Dunlap et al. 2023) at ce01c94, `datasets/cub.py`: the last five training images
of every class; its 4,994 captions name the rest.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from saflex_cli.config.images import Carved, CubData
from saflex_cli.data.arrays import ImageArrays, Labelled, to_splits
from saflex_cli.data.carve import carve
from saflex_cli.data.pictures import in_colour, read_pictures
from saflex_cli.data.splits import Splits
from saflex_cli.errors import DataError

ADDRESS = "https://data.caltech.edu/records/65de6-vp158"
_SHOWN = 5


@dataclass(frozen=True)
class CubImage:
    """One line of the official lists."""

    file: str
    """Below `images/`."""
    label: int
    """0…199, in the order of `classes.txt`."""
    in_train: bool
    """By the official split."""


@dataclass(frozen=True)
class CubParts:
    """The official lists, with the last training images of each class apart."""

    train: tuple[CubImage, ...]
    extra: tuple[CubImage, ...]
    """The training images that are held back."""
    test: tuple[CubImage, ...]


def cub(config: CubData, root: Path) -> Splits:
    """Read the folder that a recipe names; classes are numbered in the recipe's order where it chooses some.

    All images are in colour. `val` is carved out of the training images; the official test images are `test`.

    Raises:
        DataError: names the folder, file or class: a missing or malformed list, an unknown class, missing or unreadable
            images, a class without images, or too few images for `val`.
    """
    folder = root / config.path
    names, images = read_lists(folder)
    chosen = _chosen_classes(config.classes, names, folder)
    parts = cub_parts(images, config.held_back)
    wanted = {name: _of_classes(getattr(parts, name), chosen) for name in ("train", "test")}
    there = {name: [i for i in listed if _path(folder, i).is_file()] for name, listed in wanted.items()}
    notes = _account_for_missing(folder, wanted, there, allowed=config.allow_missing)
    _require_every_class(folder, there, [names[label] for label in chosen])
    read, contents = {}, ""
    for name, listed in there.items():
        read[name], content = _read(folder, listed, config)
        contents += content
    carved = carve(read, Carved(val_share=config.val_share, split_seed=config.split_seed), source=str(folder))
    class_names = tuple(readable(names[label]) for label in chosen)
    arrays = ImageArrays(
        carved["train"], carved["val"], carved["test"], class_names, hashlib.sha256(contents.encode()).hexdigest()
    )
    return replace(to_splits(arrays, config), notes=notes)


def read_lists(folder: Path) -> tuple[tuple[str, ...], tuple[CubImage, ...]]:
    """The class names as `classes.txt` has them, and all images in the order of `images.txt`.

    Raises:
        DataError: names a list that is missing, or does not go with the others.
    """
    classes = _read_list(folder / "classes.txt")
    files = _read_list(folder / "images.txt")
    labels = _read_list(folder / "image_class_labels.txt")
    sides = _read_list(folder / "train_test_split.txt")
    numbers = {number: place for place, number in enumerate(classes)}
    for name, found in (("image_class_labels.txt", labels), ("train_test_split.txt", sides)):
        if found.keys() != files.keys():
            raise DataError(f"{folder / name}: lists other images than images.txt; take all lists from {ADDRESS}")
    if unknown := sorted(set(labels.values()) - set(numbers)):
        raise DataError(
            f"{folder / 'image_class_labels.txt'}: class {unknown[0]} is not in classes.txt; take {ADDRESS}"
        )
    if unknown := sorted(set(sides.values()) - {"0", "1"}):
        raise DataError(f"{folder / 'train_test_split.txt'}: has {unknown[0]!r}, and not 0 or 1; take {ADDRESS}")
    images = (CubImage(file, numbers[labels[key]], sides[key] == "1") for key, file in files.items())
    return tuple(classes.values()), tuple(images)


def cub_parts(images: tuple[CubImage, ...], held_back: int) -> CubParts:
    """Train, extra and test, each in the order of `images.txt`; `extra` has the last `held_back` of each class.

    Of the official lists, 5 gives 4,994, 1,000 and 5,794 images.
    """
    left = Counter(image.label for image in images if image.in_train)
    train: list[CubImage] = []
    extra: list[CubImage] = []
    for image in images:
        if image.in_train:
            (train if left[image.label] > held_back else extra).append(image)
            left[image.label] -= 1
    return CubParts(tuple(train), tuple(extra), tuple(image for image in images if not image.in_train))


def readable(name: str) -> str:
    """`001.Black_footed_Albatross` → `Black footed Albatross`."""
    return name.partition(".")[2].replace("_", " ") or name


def _read_list(path: Path) -> dict[str, str]:
    """Lines of a number and a value, in order."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); unpack CUB_200_2011.tgz from {ADDRESS} there") from error
    pairs = [line.split(maxsplit=1) for line in lines if line.strip()]
    for number, pair in enumerate(pairs, start=1):
        if len(pair) != 2:
            raise DataError(
                f"{path}: entry {number} is {' '.join(pair)!r}, and not a number and a value; take {ADDRESS}"
            )
    return {number: value.strip() for number, value in pairs}


def _chosen_classes(chosen: tuple[str, ...], names: tuple[str, ...], folder: Path) -> list[int]:
    places = {name: place for place, name in enumerate(names)}
    places |= {readable(name): place for place, name in enumerate(names)}
    if unknown := [name for name in chosen if name not in places]:
        raise DataError(f"data.classes: {unknown[0]!r} is not among the {len(names)} of {folder / 'classes.txt'}")
    found = [places[name] for name in chosen] or list(range(len(names)))
    if len(set(found)) < len(found):
        raise DataError("data.classes: names a class twice; leave one out")
    return found


def _of_classes(images: tuple[CubImage, ...], chosen: list[int]) -> list[CubImage]:
    """Those of the chosen classes, under their new numbers."""
    numbers = {label: place for place, label in enumerate(chosen)}
    return [replace(image, label=numbers[image.label]) for image in images if image.label in numbers]


def _path(folder: Path, image: CubImage) -> Path:
    return folder / "images" / image.file


def _account_for_missing(
    folder: Path, wanted: dict[str, list[CubImage]], there: dict[str, list[CubImage]], *, allowed: bool
) -> tuple[str, ...]:
    missing = [image.file for name in wanted for image in wanted[name] if image not in there[name]]
    if not missing:
        return ()
    total = sum(map(len, wanted.values()))
    if not allowed:
        raise DataError(
            f"{folder / 'images'}: {len(missing):,} of {total:,} images are not there ({', '.join(missing[:_SHOWN])}"
            f"{', …' if len(missing) > _SHOWN else ''}); unpack them, name the classes that are there under "
            "data.classes, or write allow_missing: true"
        )
    counts = ", ".join(f"{name} {len(there[name]):,} of {len(listed):,}" for name, listed in wanted.items())
    return (f"cub: {len(missing):,} of {total:,} images are not there and are left out; used: {counts}",)


def _require_every_class(folder: Path, there: dict[str, list[CubImage]], names: list[str]) -> None:
    for part, images in there.items():
        found = {image.label for image in images}
        if absent := [name for label, name in enumerate(names) if label not in found]:
            raise DataError(
                f"{folder / 'images'}: no {part} images of {absent[0]}"
                f"{f' and {len(absent) - 1} more classes' if len(absent) > 1 else ''}; unpack them, or name the "
                "classes that are there under data.classes"
            )


def _read(folder: Path, images: list[CubImage], config: CubData) -> tuple[Labelled, str]:
    paths = (_path(folder, image) for image in images)
    pictures, contents = read_pictures(paths, config.size, config.fit, base=folder / "images")
    labels = np.array([image.label for image in images], dtype=np.int64)
    return Labelled(np.stack([in_colour(picture) for picture in pictures]), labels), contents
