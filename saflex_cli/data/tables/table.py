"""A table in memory, before anything is split or fitted."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from saflex_cli.errors import DataError
from saflex_cli.numpy_arrays import NDArray

MAX_LEVELS = 100_000
"""Different values that a categorical column may have."""


@dataclass(frozen=True)
class Numbers:
    """A continuous column; NaN where a value is missing."""

    name: str
    values: Float64[NDArray[np.float64], " n"]


@dataclass(frozen=True)
class Texts:
    """A categorical column: `levels[codes]`. A missing value is the level ""."""

    name: str
    codes: Int64[NDArray[np.int64], " n"]
    levels: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """N rows with their classes."""

    source: str
    """The file, for messages."""
    continuous: tuple[Numbers, ...]
    categorical: tuple[Texts, ...]
    labels: Int64[NDArray[np.int64], " n"]
    class_names: tuple[str, ...]
    lines: Int64[NDArray[np.int64], " n"]
    """Where each row stands in the file, from 1."""
    notes: tuple[str, ...] = ()
    """What was inferred and left out, for the user to read."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def features(self) -> int:
        """F."""
        return len(self.continuous) + len(self.categorical)

    def rows(self, chosen: NDArray[np.integer[Any]]) -> "Table":
        """Some of the rows."""
        return replace(
            self,
            continuous=tuple(replace(column, values=column.values[chosen]) for column in self.continuous),
            categorical=tuple(replace(column, codes=column.codes[chosen]) for column in self.categorical),
            labels=self.labels[chosen],
            lines=self.lines[chosen],
        )


def table_sha256(table: Table) -> str:
    """Of names, values and classes in their order; line ends and compression of the file leave it as it is."""
    digest = hashlib.sha256(repr(table.class_names).encode() + table.labels.astype("<i8").tobytes())
    for column in table.continuous:
        digest.update(column.name.encode() + _canonical(column.values).astype("<f8").tobytes())
    for texts in table.categorical:
        digest.update(repr((texts.name, texts.levels)).encode() + texts.codes.astype("<i8").tobytes())
    return digest.hexdigest()


def row_numbers(table: Table, *, with_labels: bool) -> Int64[NDArray[np.int64], " n"]:
    """A number for each row; two rows have the same one if and only if they are equal in every feature.

    A missing value equals a missing value. `with_labels` compares the classes, too.
    """
    columns = [_canonical(column.values).view(np.int64) for column in table.continuous]
    columns += [column.codes for column in table.categorical]
    columns += [table.labels] if with_labels else []
    packed = np.ascontiguousarray(np.stack(columns, axis=1))
    whole_rows = packed.view(np.dtype((np.void, packed.dtype.itemsize * packed.shape[1]))).reshape(-1)
    _, numbers = np.unique(whole_rows, return_inverse=True)
    return numbers.reshape(-1).astype(np.int64)


def first_of_equals(table: Table) -> Int64[NDArray[np.int64], " kept"]:
    """The rows that no earlier row equals, in their order, features and class taken together."""
    _, first = np.unique(row_numbers(table, with_labels=True), return_index=True)
    return np.sort(first)


def without_constant_columns(table: Table) -> Table:
    """The same table without columns that hold one value, or none, in all rows; a note names them.

    Raises:
        DataError: if no column is left.
    """
    numbers = tuple(column for column in table.continuous if _varies(column.values))
    texts = tuple(column for column in table.categorical if column.codes.min() != column.codes.max())
    kept = {column.name for column in numbers} | {column.name for column in texts}
    names = [column.name for column in table.continuous] + [column.name for column in table.categorical]
    gone = [name for name in names if name not in kept]
    if not kept:
        raise DataError(f"{table.source}: every column holds one value in all rows; there is nothing to learn from")
    notes = (f"left out, as all rows hold one value or none: {', '.join(gone)}",) if gone else ()
    return replace(table, continuous=numbers, categorical=texts, notes=table.notes + notes)


def _varies(values: NDArray[np.float64]) -> bool:
    """A column with a missing value and one other value varies: what is missing may tell something."""
    missing = np.isnan(values)
    if missing.any():
        return not missing.all()
    return bool(values.min() != values.max())


def _canonical(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """One bit pattern for every NaN and for both zeros."""
    return np.where(np.isnan(values), np.nan, values + 0.0)
