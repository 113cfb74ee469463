"""Columns of text files, read in one pass: one row per line, cells between separators."""

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, TextIO

import numpy as np
from jaxtyping import Float64, Int64

from saflex_cli.data.tables.table import MAX_LEVELS, Numbers, Texts
from saflex_cli.errors import DataError
from saflex_cli.numpy_arrays import NDArray

Kind = Literal["continuous", "categorical", "skip"]

_CHUNK = 20_000  # rows
_BROKEN = (OSError, EOFError, zlib.error, csv.Error)


@dataclass(frozen=True)
class Dialect:
    """How cells are written."""

    separator: str = ","
    quote: str = '"'
    escape: str | None = None
    missing: frozenset[str] = frozenset({""})


@dataclass(frozen=True)
class Columns:
    """What was read, and the line of each row in the file, from 1."""

    numbers: dict[str, Numbers]
    texts: dict[str, Texts]
    lines: Int64[NDArray[np.int64], " n"]


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """The text of a file, gunzipped where its name ends in .gz.

    Raises:
        DataError: names the file: missing, not UTF-8, or a broken archive.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; put it there, or correct the path or the data root")
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8-sig", newline="")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8-sig", newline="")
        ) as handle:
            yield handle
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error.reason}); save it as UTF-8") from error
    except _BROKEN as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch or write it again") from error


def read_names(path: Path, dialect: Dialect, *, header: bool) -> tuple[str, ...]:
    """The names of the columns: from the first line, or else `column 1`, `column 2` and so on.

    Raises:
        DataError: names the file and the column: no line at all, or a name that stands twice.
    """
    with open_text(path) as handle:
        first = next((row for row, _ in _rows(handle, dialect)), None)
    if first is None:
        raise DataError(f"{path}: is empty")
    names = tuple((cell.strip() if header else "") or f"column {n}" for n, cell in enumerate(first, start=1))
    for name in names:
        if names.count(name) > 1:
            first_at = names.index(name)
            again = names.index(name, first_at + 1)
            raise DataError(
                f"{path}: the header names two columns {name!r} (numbers {first_at + 1} and {again + 1}); rename one, "
                "or say header: false if the file has none"
            )
    return names


def read_columns(
    path: Path,
    lines: Iterable[str],
    names: Sequence[str],
    kinds: Sequence[Kind],
    dialect: Dialect,
    *,
    skip: int = 0,
    offset: int = 0,
) -> Columns:
    """Read the cells of every column as its kind says.

    Args:
        path: For messages.
        lines: Of the text.
        names: Of the columns, in their order.
        kinds: Of the columns.
        dialect: How cells are written.
        skip: Rows at the start that are no data, such as a header.
        offset: Lines of the file before `lines`.

    Raises:
        DataError: names file, line and column: a row with too few or too many cells, a text in a continuous column,
            an infinite number, more than `MAX_LEVELS` levels, or no row at all.
    """
    readers = [_reader(name, kind, dialect, path) for name, kind in zip(names, kinds, strict=True)]
    numbered = islice(_rows(lines, dialect), skip, None)
    collected: list[NDArray[np.int64]] = []
    while chunk := list(islice(numbered, _CHUNK)):
        at = np.array([line for _, line in chunk], dtype=np.int64) + offset
        for row, line in chunk:
            if len(row) != len(names):
                raise DataError(f"{path}: line {line + offset} has {len(row)} of {len(names)} cells; mend that line")
        for reader, cells in zip(readers, zip(*(row for row, _ in chunk), strict=True), strict=True):
            if reader is not None:
                reader.take(cells, at)
        collected.append(at)
    if not collected:
        raise DataError(f"{path}: has no row of data")
    numbers = {reader.name: reader.column() for reader in readers if isinstance(reader, _NumberReader)}
    texts = {reader.name: reader.column() for reader in readers if isinstance(reader, _TextReader)}
    return Columns(numbers, texts, np.concatenate(collected))


def numeric_columns(path: Path, names: Sequence[str], dialect: Dialect, *, skip: int) -> tuple[bool, ...]:
    """Of each column, whether every cell is a number or missing, and at least one is a number."""
    numeric, seen = [True] * len(names), [False] * len(names)
    with open_text(path) as handle:
        rows = islice(_rows(handle, dialect), skip, None)
        while chunk := [row for row, _ in islice(rows, _CHUNK) if len(row) == len(names)]:
            for index, cells in enumerate(zip(*chunk, strict=True)):
                present = set(map(str.strip, cells)) - dialect.missing if numeric[index] else set()
                seen[index] |= bool(present)
                numeric[index] &= all(map(is_number, present))
    return tuple(all(both) for both in zip(numeric, seen, strict=True))


def _rows(lines: Iterable[str], dialect: Dialect) -> Iterator[tuple[list[str], int]]:
    """Cells and line number of every line that is not blank."""
    reader = csv.reader(
        lines,
        delimiter=dialect.separator,
        quotechar=dialect.quote,
        escapechar=dialect.escape,
        skipinitialspace=True,
        strict=True,
    )
    try:
        for row in reader:
            if row:
                yield row, reader.line_num
    except csv.Error as error:
        raise csv.Error(f"line {reader.line_num}: {error}") from error


class _NumberReader:
    def __init__(self, name: str, dialect: Dialect, path: Path) -> None:
        self.name = name
        self._dialect, self._path = dialect, path
        self._parts: list[Float64[NDArray[np.float64], " n"]] = []

    def take(self, cells: Sequence[str], lines: NDArray[np.int64]) -> None:
        try:
            values = np.fromiter(map(float, cells), dtype=np.float64, count=len(cells))
            plain = bool(np.isfinite(values).all()) and "_" not in "".join(cells)
        except ValueError:
            plain = False
        if not plain:
            values = np.array(
                [self._number(cell.strip(), line) for cell, line in zip(cells, lines.tolist(), strict=True)]
            )
        self._parts.append(values)

    def column(self) -> Numbers:
        return Numbers(self.name, np.concatenate(self._parts))

    def _number(self, cell: str, line: int) -> float:
        if cell in self._dialect.missing:
            return np.nan
        if not is_number(cell):
            raise DataError(
                f"{self._path}: line {line}, column {self.name}: {cell!r} is not a finite number; mend it, list it "
                "under missing, or list the column under categorical"
            )
        return float(cell)


class _TextReader:
    def __init__(self, name: str, dialect: Dialect, path: Path) -> None:
        self.name = name
        self._path = path
        self._codes = _Codes(dialect.missing)
        self._parts: list[Int64[NDArray[np.int64], " n"]] = []

    def take(self, cells: Sequence[str], lines: NDArray[np.int64]) -> None:
        codes = np.fromiter(map(self._codes.__getitem__, cells), dtype=np.int64, count=len(cells))
        self._parts.append(codes)
        if len(self._codes.levels) > MAX_LEVELS:
            row = int(np.flatnonzero(codes >= MAX_LEVELS)[0])
            raise DataError(
                f"{self._path}: column {self.name} has more than {MAX_LEVELS:,} different values (line {lines[row]}); "
                "list it under drop, or under continuous if it holds numbers"
            )

    def column(self) -> Texts:
        return Texts(self.name, np.concatenate(self._parts), tuple(self._codes.levels))


class _Codes(dict[str, int]):
    """Numbers levels in the order in which they appear; every text that counts as missing is the level ""."""

    def __init__(self, missing: frozenset[str]) -> None:
        super().__init__()
        self.levels: list[str] = []
        self._missing = missing

    def __missing__(self, text: str) -> int:
        level = "" if text.strip() in self._missing else text.strip()
        if level not in self:
            self[level] = len(self.levels)
            self.levels.append(level)
        self[text] = self[level]
        return self[text]


def _reader(name: str, kind: Kind, dialect: Dialect, path: Path) -> _NumberReader | _TextReader | None:
    match kind:
        case "continuous":
            return _NumberReader(name, dialect, path)
        case "categorical":
            return _TextReader(name, dialect, path)
        case "skip":
            return None


def is_number(text: str) -> bool:
    """Whether a cell holds a finite number; `1_000` is none."""
    try:
        return bool(np.isfinite(float(text))) and "_" not in text
    except ValueError:
        return False
