"""Every data set with a fixed name: its state, how it is fetched, and how it compares with the paper's Table 5."""

import hashlib
from difflib import get_close_matches
from pathlib import Path
from typing import get_args

from rich.table import Table as Listing

from saflex_cli.cli.console import grid
from saflex_cli.config.components import MedMnistSet
from saflex_cli.config.tabular import CsvData, Rows, TableName, TabularData
from saflex_cli.data.medmnist import fetch_file, find_file
from saflex_cli.data.medmnist import verify as verify_medmnist
from saflex_cli.data.tables.facts import FACTS, Counts, TableFacts
from saflex_cli.data.tables.load import read_table, split_table
from saflex_cli.data.tables.named import counts_of, fetch_table, find_table, missing_table
from saflex_cli.data.tables.table import Table, first_of_equals
from saflex_cli.errors import DataError
from saflex_cli.store.claims.printed import title
from saflex_cli.store.claims.text_facts import TABLE_5

MEDMNIST: tuple[MedMnistSet, ...] = get_args(MedMnistSet)
TABLES: tuple[TableName, ...] = get_args(TableName)
_SEED = 0


def table_of_sets(root: Path, names: list[str]) -> Listing:
    """Name, state and file of every data set, or of those that are named."""
    listing = grid("data set", "state", "file under the data root")
    for name in names or ["digits", *MEDMNIST, *TABLES]:
        path, expected = _locate(name, root)
        state = "found" if name == "digits" or path is not None else "missing"
        listing.add_row(name, state, str(path.relative_to(root)) if path is not None else expected)
    return listing


def found(root: Path) -> list[str]:
    """The data sets whose files are there."""
    return [name for name in (*MEDMNIST, *TABLES) if _locate(name, root)[0] is not None]


def fetch(name: str, root: Path) -> list[str]:
    """Download a data set unless it is there.

    Raises:
        DataError: for an unknown name, or if it cannot be fetched; says what to do by hand.
    """
    path, _ = _locate(name, root)
    if name == "digits" or path is not None:
        return [f"{name}: is there already ({path or 'part of scikit-learn'})"]
    for subset in MEDMNIST:
        if subset == name:
            return [f"{name}: fetched, MD5 verified ({fetch_file(subset, 28, root)})"]
    return [f"{name}: fetched, MD5 verified ({fetch_table(_table_name(name), root)})"]


def verify(name: str, root: Path) -> list[str]:
    """What a data set holds, and every difference to the file it should be and to Table 5.

    Raises:
        DataError: for an unknown name, a missing file, or one that is not what the name stands for.
    """
    path, _ = _locate(name, root)
    if name == "digits":
        return ["digits: part of scikit-learn"]
    for subset in MEDMNIST:
        if subset == name:
            if path is None:
                raise DataError(f"{name}: put {subset}.npz into {root / 'medmnist'}, or `saflex data fetch {name}`")
            return [f"{name}: MD5 {verify_medmnist(path, subset, 28)}, the official file ({path})"]
    table_name = _table_name(name)
    if path is None:
        raise DataError(missing_table(table_name, root))
    table = read_table(TabularData(name="tabular", table=table_name), root)
    facts = FACTS[table_name]
    lines = [_checksum(path, facts), *_contents(table), *table.notes, *against_table_5(counts_of(table), facts)]
    return [f"{name}: {path}", *(f"  {line}" for line in lines)]


def describe_file(path: Path, *, target: str | None, separator: str) -> list[str]:
    """How the columns of a user's table are read, as a recipe with `name: csv` does.

    Raises:
        DataError: names file, line and column.
    """
    if target is None:
        raise DataError(f"{path}: say which column is the class, with --target COLUMN")
    config = CsvData(name="csv", path=str(path.resolve()), target=target, separator=separator)
    table = read_table(config, Path())
    return [*table.notes, *_contents(table)]


def against_table_5(counts: Counts, facts: TableFacts) -> list[str]:
    """Every difference between what a file holds and what the paper prints, with what explains it."""
    lines = []
    if facts.row_of_table_5 is None:
        lines.append("Table 5: does not list it")
    else:
        row = TABLE_5[facts.row_of_table_5]
        printed = Counts(row.size, row.continuous, row.categorical, row.positives or None)
        differences = counts.differences(printed)
        says = f"prints {'; '.join(differences)}" if differences else "the same counts"
        lines.append(f"Table 5, {title(facts.row_of_table_5)}: {says}")
    lines += [f"remark: {remark}" for remark in facts.remarks]
    if facts.not_comparable is not None:
        lines.append(f"not comparable with Table 2: {facts.not_comparable}")
    return lines


def _contents(table: Table) -> list[str]:
    counts = counts_of(table)
    positives = f"; {counts.positives:,} positive" if counts.positives is not None else ""
    share = f" ({100 * counts.positives / counts.rows:.2f} %)" if counts.positives is not None else ""
    classes = "" if counts.positives is not None else f"; {len(table.class_names)} classes"
    lines = [
        f"{counts.rows:,} rows; {counts.continuous} continuous and {counts.categorical} categorical features"
        f"{positives}{share}{classes}"
    ]
    repeated = len(table) - len(first_of_equals(table))
    try:
        splits = split_table(table, Rows(), _SEED)
    except DataError as error:
        return [*lines, f"{repeated:,} rows equal an earlier one", f"the default split fails: {error}"]
    judged = len(splits.val) + len(splits.test)
    return [
        *lines,
        f"{repeated:,} rows equal an earlier one; with seed {_SEED}, {splits.duplicates_across_splits:,} of "
        f"{judged:,} rows of val and test equal a row of train in every feature",
    ]


def _checksum(path: Path, facts: TableFacts) -> str:
    with path.open("rb") as handle:
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    if facts.sha256 is None:
        return (
            f"SHA-256 {sha256}; no such file was at hand when this was written, so that there is none to compare with"
        )
    if sha256 == facts.sha256:
        return f"SHA-256 {sha256}, as the numbers here were made with"
    return f"SHA-256 {sha256}, not {facts.sha256}: line ends, compression or content differ; the counts are checked"


def _locate(name: str, root: Path) -> tuple[Path | None, str]:
    """The file of a data set if it is there, and where it should be, under the root."""
    for subset in MEDMNIST:
        if subset == name:
            return find_file(subset, 28, root), f"medmnist/{subset}.npz"
    if name == "digits":
        return None, "(part of scikit-learn)"
    table = _table_name(name)
    return find_table(table, root), FACTS[table].target


def _table_name(name: str) -> TableName:
    for table in TABLES:
        if table == name:
            return table
    known = ["digits", *MEDMNIST, *TABLES]
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "`saflex data list` lists the data sets"
    raise DataError(f"{name}: neither a data set nor a file; {hint}")
