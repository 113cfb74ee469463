"""From a recipe's table to splits."""

from dataclasses import replace
from pathlib import Path
from typing import assert_never

import numpy as np
import torch
from jaxtyping import Int64

from saflex_cli.config.tabular import CsvData, Rows, TabularData
from saflex_cli.data.splits import PixelScale, Split, Splits
from saflex_cli.data.tables.custom import custom_table
from saflex_cli.data.tables.encode import encode
from saflex_cli.data.tables.named import named_table
from saflex_cli.data.tables.table import Table, first_of_equals, row_numbers, table_sha256
from saflex_cli.errors import DataError
from saflex_cli.numpy_arrays import NDArray
from saflex_cli.seeding import Streams

Indices = Int64[NDArray[np.int64], " _"]


def tabular(config: TabularData | CsvData, seed: int, root: Path) -> Splits:
    """Read, split and encode a table; the split depends on `split_seed`, or else on the run's seed.

    Raises:
        DataError: names file, line and column; see `named_table`, `custom_table` and `split_table`.
    """
    return split_table(read_table(config, root), config, seed)


def read_table(config: TabularData | CsvData, root: Path) -> Table:
    """The table that a recipe names, without duplicates where it asks for that.

    Raises:
        DataError: as `named_table` and `custom_table` say.
    """
    match config:
        case TabularData():
            table = named_table(config.table, root)
        case CsvData():
            table = custom_table(config, root)
        case _:
            assert_never(config)
    if not config.deduplicate:
        return table
    kept = first_of_equals(table)
    note = f"left out: {len(table) - len(kept):,} of {len(table):,} rows, which equal an earlier one"
    return replace(table.rows(kept), notes=(*table.notes, note))


def split_table(table: Table, config: Rows, seed: int) -> Splits:
    """Draw the splits, and encode the rows by what train holds.

    Raises:
        DataError: if a split holds a single class, or train lacks one.
    """
    generator = Streams(seed if config.split_seed is None else config.split_seed).generator("split")
    groups = [np.flatnonzero(table.labels == label) for label in range(len(table.class_names))]
    if not config.stratify:
        groups = [np.arange(len(table))]
    drawn = [_draw(rows, config, generator) for rows in groups]
    train, val, test = (np.sort(np.concatenate(rows)) for rows in zip(*drawn, strict=True))
    _check_classes(table, {"train": train, "val": val, "test": test})
    encoded = encode(table, train, config.scaling)
    inputs, labels = torch.from_numpy(encoded.inputs), torch.from_numpy(table.labels)
    numbers = row_numbers(table, with_labels=False)
    return Splits(
        train=Split(inputs[train], labels[train]),
        val=Split(inputs[val], labels[val]),
        test=Split(inputs[test], labels[test]),
        class_names=table.class_names,
        scale=PixelScale(mean=0.0, std=1.0),
        sha256=table_sha256(table),
        levels=encoded.levels,
        duplicates_across_splits=int(np.isin(numbers[np.concatenate([val, test])], numbers[train]).sum()),
        notes=table.notes,
    )


def _draw(rows: Indices, config: Rows, generator: torch.Generator) -> tuple[Indices, Indices, Indices]:
    """Train, val and test: val and test have round(share · n) of n rows, drawn without replacement."""
    shuffled = rows[torch.randperm(len(rows), generator=generator).numpy()]
    val, test = round(config.split.val * len(rows)), round(config.split.test * len(rows))
    return shuffled[val + test :], shuffled[:val], shuffled[val : val + test]


def _check_classes(table: Table, parts: dict[str, Indices]) -> None:
    for name, rows in parts.items():
        counts = np.bincount(table.labels[rows], minlength=len(table.class_names))
        missing = [table.class_names[label] for label in np.flatnonzero(counts == 0)]
        if np.count_nonzero(counts) < 2 or (name == "train" and missing):
            raise DataError(
                f"{table.source}: {name} has {len(rows)} rows and none of class {', '.join(missing)}; set "
                "data.stratify: true, another data.split_seed or other data.split, or add rows of that class"
            )
