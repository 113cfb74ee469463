"""Names of classes, read from files: for prompts, tables and messages."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from saflex_cli.errors import DataError

_NO_CLASS = 99_999
"""What stands in the place of a class for species that the release does not use."""


def iwildcam_names(path: Path) -> tuple[str, ...]:
    """The English names of iWildCam's classes, in the order of their labels.

    The table (FLYP at 215d5bb, `src/datasets/iwildcam_metadata/labels.csv`) has the columns `y`, `category_id`, `name`
    and `english`; of its 206 rows the 182 with y below 99999 are the classes.

    Raises:
        DataError: names the file and row: missing, without these columns, or labels that are not 0, 1, 2, … once each.
    """
    names: dict[int, str] = {}
    for number, row in enumerate(_rows(path, ("y", "english")), start=2):
        if not row["y"].isdecimal() or not row["english"].strip():
            raise DataError(f"{path}:{number}: needs a number y and a name, and has {row['y']!r}, {row['english']!r}")
        if (label := int(row["y"])) >= _NO_CLASS:
            continue
        if label in names:
            raise DataError(f"{path}:{number}: class {label} has a name already, {names[label]!r}; remove one")
        names[label] = row["english"].strip()
    if sorted(names) != list(range(len(names))) or not names:
        lacking = next(label for label in range(len(names) + 1) if label not in names)
        raise DataError(f"{path}: has {len(names)} classes, but no class {lacking}; number them 0, 1, 2, …")
    return tuple(names[label] for label in range(len(names)))


def named_folders(path: Path, folders: Sequence[str]) -> tuple[str, ...]:
    """A name for every class folder, from a file.

    The file is a CSV with the columns `class` (the folder) and `name`, in any order and with further folders allowed;
    or it has one name per line, in the order of the folders.

    Raises:
        DataError: if the file is missing, or lacks the name of a folder, or names one twice.
    """
    if path.suffix.lower() != ".csv":
        lines = [line.strip() for line in _lines(path) if line.strip()]
        if len(lines) != len(folders):
            raise DataError(
                f"{path}: has {len(lines)} names, and there are {len(folders)} classes ({', '.join(folders[:5])}, …); "
                "write one name per line, in alphabetical order of the folders"
            )
        return tuple(lines)
    rows = [(row["class"].strip(), row["name"].strip()) for row in _rows(path, ("class", "name"))]
    names = dict(rows)
    if len(names) < len(rows):
        raise DataError(f"{path}: names a class twice; keep one row for each")
    if lacking := [folder for folder in folders if not names.get(folder)]:
        raise DataError(f"{path}: has no name for the class {lacking[0]!r}; add a row for it")
    return tuple(names[folder] for folder in folders)


def shared_names(class_names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Names that several classes have once case is ignored, with these classes: prompts cannot tell them apart.

    Of iWildCam's 182 names 178 are distinct: four are shared by two classes each.
    """
    found = defaultdict(list)
    for label, name in enumerate(class_names):
        found[name.lower()].append(label)
    return {name: tuple(labels) for name, labels in found.items() if len(labels) > 1}


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    reader = csv.DictReader(_lines(path), restval="")
    rows = list(reader)
    if absent := [column for column in columns if column not in (reader.fieldnames or [])]:
        raise DataError(
            f"{path}: has no column {absent[0]} (it has {', '.join(reader.fieldnames or ['none'])}); add it"
        )
    return rows


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); put a file of class names in UTF-8 there") from error
