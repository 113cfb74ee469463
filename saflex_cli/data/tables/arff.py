"""ARFF files as OpenML serves them: a header that declares every column, then rows between commas."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TextIO

import numpy as np

from saflex_cli.data.tables.text_file import Columns, Dialect, Kind, open_text, read_columns
from saflex_cli.errors import DataError

_ATTRIBUTE = re.compile(r"""@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s{]+)\s*(.+)""", re.IGNORECASE)
_NUMERIC = ("numeric", "real", "integer")


@dataclass(frozen=True)
class _Header:
    names: tuple[str, ...]
    declared: tuple[tuple[str, ...] | None, ...]
    """The levels of a nominal column; None for numbers, () for a column of free texts."""
    quote: str
    lines: int

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple("continuous" if levels is None else "categorical" for levels in self.declared)


def read_arff(path: Path) -> tuple[tuple[str, ...], Columns]:
    """Names of all columns in their order, and their cells; `?` is missing, nominal and text columns are categorical.

    Raises:
        DataError: names file and line: no such file, a header that cannot be read, a sparse row, a level that is not
            declared, or what `read_columns` refuses.
    """
    with open_text(path) as handle:
        header = _header(handle, path)
        dialect = Dialect(quote=header.quote, escape="\\", missing=frozenset({"?"}))
        rows = _rows(handle, path, header.lines)
        columns = read_columns(path, rows, header.names, header.kinds, dialect, offset=header.lines)
    _check_levels(columns, header, path)
    return header.names, columns


def _header(handle: TextIO, path: Path) -> _Header:
    names: list[str] = []
    declared: list[tuple[str, ...] | None] = []
    quote = "'"
    for number in count(1):
        line = handle.readline()
        text = line.strip()
        lowered = text.lower()
        if not line:
            raise DataError(f"{path}: no @data in it; an ARFF file has @relation, @attribute and @data")
        if lowered == "@data":
            break
        if lowered.startswith("@attribute"):
            match = _ATTRIBUTE.match(text)
            if match is None:
                raise DataError(f"{path}: line {number} cannot be read: {text[:60]}")
            quote = '"' if '"' in match[2] else quote
            names.append(re.sub(r"\\(.)", r"\1", match[1].strip("'\"")))
            declared.append(_declared(match[2].strip(), quote, f"{path}: line {number}, column {names[-1]}"))
        elif text and not lowered.startswith(("%", "@relation")):
            raise DataError(f"{path}: line {number} is not part of an ARFF header: {text[:60]}")
    if twice := [name for name in names if names.count(name) > 1]:
        raise DataError(f"{path}: declares column {twice[0]} twice")
    return _Header(tuple(names), tuple(declared), quote, number)


def _declared(kind: str, quote: str, where: str) -> tuple[str, ...] | None:
    if kind.lower() in _NUMERIC:
        return None
    if kind.lower() == "string":
        return ()
    if kind.startswith("{") and kind.endswith("}"):
        inner = csv.reader([kind[1:-1]], quotechar=quote, escapechar="\\", skipinitialspace=True)
        return tuple(level.strip() for level in next(inner))
    raise DataError(f"{where}: type {kind[:40]!r} is not read here; there are numeric, real, integer, string and {{…}}")


def _rows(handle: TextIO, path: Path, before: int) -> Iterator[str]:
    for number, line in enumerate(handle, start=before + 1):
        if line.startswith("{"):
            raise DataError(f"{path}: line {number} is a sparse row; save the table in dense form")
        yield "\n" if line.startswith("%") else line


def _check_levels(columns: Columns, header: _Header, path: Path) -> None:
    for name, declared in zip(header.names, header.declared, strict=True):
        if not declared:
            continue
        texts = columns.texts[name]
        for code, level in enumerate(texts.levels):
            if level and level not in declared:
                line = columns.lines[np.flatnonzero(texts.codes == code)[0]]
                raise DataError(f"{path}: line {line}, column {name}: {level!r} is not among the declared levels")
