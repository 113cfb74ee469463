"""iWildCam2020-WILDS v2.0 (Koh et al. 2021): photographs of camera traps, their animals, cameras and sequences.

Facts on the layout from the wilds package at 4726775 (`wilds/datasets/iwildcam_dataset.py`). Nothing is downloaded
here: the release has 12 GB, and its server is often away.
"""

import csv
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import torch
from jaxtyping import Int
from torch import Tensor

from saflex_cli.config.images import IWildCamData, IWildCamSplit
from saflex_cli.data.class_names import iwildcam_names, shared_names
from saflex_cli.data.image_files import ImageFiles, check_decodes
from saflex_cli.data.splits import PixelScale, Split, Splits
from saflex_cli.errors import DataError

COLUMNS = ("split", "y", "filename", "location_remapped", "sequence_remapped")
"""Of `metadata.csv`; it has others, which are not read."""
IWILDCAM_SPLITS: tuple[IWildCamSplit, ...] = get_args(IWildCamSplit)
_SHOWN = 5


@dataclass(frozen=True)
class CameraSplit:
    """One of WILDS' splits."""

    files: tuple[str, ...]
    """Below `train/`, which holds the images of all splits."""
    labels: Int[Tensor, " n"]
    locations: Int[Tensor, " n"]
    """Cameras, numbered over all splits."""
    sequences: Int[Tensor, " n"]
    """Bursts of one camera, numbered over all splits."""

    def __len__(self) -> int:
        return len(self.files)

    def rows(self, places: Int[Tensor, " m"]) -> "CameraSplit":
        """Some of the images."""
        files = tuple(self.files[place] for place in places.tolist())
        return CameraSplit(files, self.labels[places], self.locations[places], self.sequences[places])


def iwildcam(config: IWildCamData, root: Path) -> Splits:
    """The three splits that a recipe names; images are checked now and decoded when used.

    `sha256` is of the file names and labels of these splits, not of the images.

    Raises:
        DataError: names the file, column, row or images: missing or malformed metadata, an unknown class, missing or
            undecodable images.
    """
    folder = root / config.path
    class_names = iwildcam_names(root / config.class_names)
    listed = read_metadata(folder / "metadata.csv", classes=len(class_names))
    used = {name: listed[name] for name in dict.fromkeys((config.train, config.val, config.test))}
    used, notes = present(folder / "train", used, skip=config.missing == "skip")
    if config.check == "decode":
        check_decodes([folder / "train" / file for part in used.values() for file in part.files])
    same = [f"{name!r} ({', '.join(map(str, labels))})" for name, labels in shared_names(class_names).items()]
    if same:
        notes += (f"iwildcam: classes of one name, which prompts cannot tell apart: {', '.join(same)}",)
    train, val, test = (_split(folder, used[name], config) for name in (config.train, config.val, config.test))
    return Splits(
        train=train,
        val=val,
        test=test,
        class_names=class_names,
        scale=PixelScale(config.mean, config.std),
        sha256=_digest(used),
        notes=notes,
    )


def read_metadata(path: Path, *, classes: int) -> dict[IWildCamSplit, CameraSplit]:
    """All five splits of `metadata.csv`, in its order; one that it lacks is empty.

    The official file has 129,809 train, 14,961 val, 42,791 test, 7,314 id_val and 8,154 id_test images.

    Raises:
        DataError: names the file, and the column or row: missing, a split or class that there is not, no whole number.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, restval="")
            if absent := [column for column in COLUMNS if column not in (reader.fieldnames or [])]:
                raise DataError(f"{path}: has no column {absent[0]}; take metadata.csv of release v2.0")
            rows = [[row[column] for column in COLUMNS] for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path}: cannot be read ({error}); unpack iwildcam_v2.0 there, or correct data.path"
        ) from error
    places: dict[str, list[int]] = {name: [] for name in IWILDCAM_SPLITS}
    for place, (split, *_) in enumerate(rows):
        if split not in places:
            raise DataError(f"{path}:{place + 2}: split {split!r}; there are {', '.join(IWILDCAM_SPLITS)}")
        places[split].append(place)
    numbers = torch.tensor([_numbers(row, place, path, classes) for place, row in enumerate(rows)]).view(-1, 3)
    return {
        name: CameraSplit(tuple(rows[place][2] for place in places[name]), *numbers[places[name]].unbind(1))
        for name in IWILDCAM_SPLITS
    }


def present(
    folder: Path, parts: dict[IWildCamSplit, CameraSplit], *, skip: bool
) -> tuple[dict[IWildCamSplit, CameraSplit], tuple[str, ...]]:
    """The same splits with the images that the folder holds, and what to tell the user about the others.

    Raises:
        DataError: if the folder is missing; if images are and may not be skipped: counted, and the first few named.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; the images of all splits belong there")
    there = {entry.name for entry in os.scandir(folder)}
    missing = {name: [file for file in part.files if file not in there] for name, part in parts.items()}
    count, total = sum(map(len, missing.values())), sum(map(len, parts.values()))
    if not count:
        return parts, ()
    shown = ", ".join([file for files in missing.values() for file in files][:_SHOWN])
    if not skip:
        raise DataError(
            f"{folder}: {count:,} of {total:,} images are not there ({shown}{', …' if count > _SHOWN else ''}); unpack "
            "them, or leave them out with missing: skip"
        )
    left = ", ".join(f"{name} {len(part) - len(missing[name]):,} of {len(part):,}" for name, part in parts.items())
    note = f"iwildcam: {count:,} of {total:,} images are not there and are left out; used: {left}"
    return {name: part.rows(_kept(part, there)) for name, part in parts.items()}, (note,)


def _kept(part: CameraSplit, there: set[str]) -> Int[Tensor, " m"]:
    return torch.tensor([place for place, file in enumerate(part.files) if file in there], dtype=torch.long)


def _numbers(row: list[str], place: int, path: Path, classes: int) -> tuple[int, int, int]:
    """Label, camera and sequence of a row."""
    _, y, _, location, sequence = row
    try:
        label, camera, burst = int(y), int(location), int(sequence)
    except ValueError as error:
        raise DataError(f"{path}:{place + 2}: y, location_remapped and sequence_remapped are whole numbers") from error
    if not 0 <= label < classes:
        raise DataError(f"{path}:{place + 2}: class y = {label}; the {classes} classes are 0…{classes - 1}")
    return label, camera, burst


def _split(folder: Path, part: CameraSplit, config: IWildCamData) -> Split:
    paths = tuple(folder / "train" / file for file in part.files)
    return Split(ImageFiles(paths, config.size, config.fit), part.labels)


def _digest(parts: dict[IWildCamSplit, CameraSplit]) -> str:
    digest = hashlib.sha256()
    for name, part in parts.items():
        for file, label in zip(part.files, part.labels.tolist(), strict=True):
            digest.update(f"{name}/{file}\0{label}\n".encode())
    return digest.hexdigest()
