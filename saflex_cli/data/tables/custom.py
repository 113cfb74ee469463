"""A table of the user's own, with kinds of columns inferred where the recipe leaves them open."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from saflex_cli.config.tabular import CsvData
from saflex_cli.data.tables.table import Table, Texts
from saflex_cli.data.tables.target import assemble, check_names, shortened
from saflex_cli.data.tables.text_file import (
    Dialect,
    Kind,
    is_number,
    numeric_columns,
    open_text,
    read_columns,
    read_names,
)

_FEW = 0.1
"""Share of rows with a text up to which a column looks like one of numbers."""


def custom_table(config: CsvData, root: Path) -> Table:
    """Read the file that a recipe names; what was inferred stands in the table's notes.

    A column is continuous if each of its cells is a number or missing; any other is categorical.

    Raises:
        DataError: names file, line and column, as `read_columns` and `assemble` say; or a column that does not exist.
    """
    path = root / config.path
    dialect = Dialect(config.separator, missing=frozenset(config.missing))
    names = read_names(path, dialect, header=config.header)
    check_names([config.target, *config.continuous, *config.categorical, *config.drop], names, str(path))
    skip = int(config.header)
    numeric = numeric_columns(path, names, dialect, skip=skip)
    kinds = [_kind(config, name, numeric=is_numeric) for name, is_numeric in zip(names, numeric, strict=True)]
    with open_text(path) as handle:
        columns = read_columns(path, handle, names, kinds, dialect, skip=skip)
    table = assemble(columns, names, target=config.target, positive=config.positive, source=str(path))
    suspects = [_suspicion(texts, table) for texts in table.categorical if texts.name not in config.categorical]
    return replace(table, notes=(*_described(table, config), *filter(None, suspects), *table.notes))


def _kind(config: CsvData, name: str, *, numeric: bool) -> Kind:
    if name == config.target or name in config.categorical:
        return "categorical"
    if name in config.drop:
        return "skip"
    return "continuous" if numeric or name in config.continuous else "categorical"


def _suspicion(texts: Texts, table: Table) -> str | None:
    """Where a text stands in a column that holds numbers otherwise."""
    odd = [code for code, level in enumerate(texts.levels) if level and not is_number(level)]
    rows = np.flatnonzero(np.isin(texts.codes, odd))
    if not 0 < len(rows) <= _FEW * len(table):
        return None
    return (
        f"column {texts.name} counts as categorical because line {table.lines[rows[0]]} holds "
        f"{texts.levels[texts.codes[rows[0]]]!r} ({len(rows):,} such rows), where the others hold numbers: mend it, or "
        "list it under missing; list the column under categorical if that is what it is"
    )


def _described(table: Table, config: CsvData) -> tuple[str, ...]:
    counts = ", ".join(
        f"{name} ({(table.labels == label).sum():,})" for label, name in enumerate(table.class_names[:12])
    )
    continuous = [column.name for column in table.continuous]
    categorical = [f"{column.name} ({len(column.levels):,} levels)" for column in table.categorical]
    return (
        f"{table.source}: {len(table):,} rows; classes in {config.target}: {counts}",
        f"continuous, {len(continuous)}: {shortened(continuous) or 'none'}",
        f"categorical, {len(categorical)}: {shortened(categorical) or 'none'}",
    )
