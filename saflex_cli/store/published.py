"""Numbers printed in the paper, kept as data beside the table files."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from saflex_cli.errors import RecipeError


class PublishedKey(NamedTuple):
    """Where a number is printed; the first four columns of `published.csv`."""

    table: str
    column: str
    backbone: str
    method: str


@dataclass(frozen=True)
class Published:
    """A printed mean and what is printed after its ±, both in percent."""

    mean: float
    std: float


def read_published(path: Path) -> Mapping[PublishedKey, Published]:
    """Read `published.csv`.

    Raises:
        RecipeError: if the file is missing, or a line of it has another form.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error.strerror}); published numbers stand there") from error
    numbers = {}
    for count, line in enumerate(lines, start=2):
        try:
            key = PublishedKey(line["table"], line["column"], line["backbone"], line["method"])
            numbers[key] = Published(mean=float(line["mean"]), std=float(line["std"]))
        except (KeyError, TypeError, ValueError) as error:
            raise RecipeError(f"{path}:{count}: must be table,column,backbone,method,mean,std") from error
    return numbers


def look_up(numbers: Mapping[PublishedKey, Published], key: PublishedKey) -> Published:
    """One printed number.

    Raises:
        RecipeError: says which methods the table's column has.
    """
    if key in numbers:
        return numbers[key]
    methods = [other.method for other in numbers if other[:3] == key[:3]]
    known = f"that column has: {', '.join(methods)}" if methods else "there is no such column; see published.csv"
    raise RecipeError(f"Table {key.table}, {key.column}, {key.backbone} prints no {key.method!r}; {known}")
