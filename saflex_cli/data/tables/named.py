"""The tables of the paper, each by the recipe that gives its row of Table 5 (see docs/tabular-data.md)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import assert_never

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from saflex_cli.config.tabular import TableName
from saflex_cli.data.download import download
from saflex_cli.data.tables.arff import read_arff
from saflex_cli.data.tables.facts import FACTS, Counts
from saflex_cli.data.tables.table import Numbers, Table, Texts
from saflex_cli.data.tables.target import assemble, check_names
from saflex_cli.data.tables.text_file import Columns, Dialect, Kind, open_text, read_columns, read_names
from saflex_cli.errors import DataError

_CLICK_NOMINAL = ("ad_id", "advertiser_id", "keyword_id", "title_id", "description_id", "user_id")
_CLICK_NUMERIC = ("impression", "url_hash", "depth", "position", "query_id")
_KDD99 = [
    "duration",
    "protocol_type",
    "service",
    "flag",
    "src_bytes",
    "dst_bytes",
    "land",
    "wrong_fragment",
    "urgent",
    "hot",
    "num_failed_logins",
    "logged_in",
    "num_compromised",
    "root_shell",
    "su_attempted",
    "num_root",
    "num_file_creations",
    "num_shells",
    "num_access_files",
    "num_outbound_cmds",
    "is_host_login",
    "is_guest_login",
    "count",
    "srv_count",
    "serror_rate",
    "srv_serror_rate",
    "rerror_rate",
    "srv_rerror_rate",
    "same_srv_rate",
    "diff_srv_rate",
    "srv_diff_host_rate",
    "dst_host_count",
    "dst_host_srv_count",
    "dst_host_same_srv_rate",
    "dst_host_diff_srv_rate",
    "dst_host_same_src_port_rate",
    "dst_host_srv_diff_host_rate",
    "dst_host_serror_rate",
    "dst_host_srv_serror_rate",
    "dst_host_rerror_rate",
    "dst_host_srv_rerror_rate",
    "label",
]


def named_table(name: TableName, root: Path) -> Table:
    """Read one of the paper's tables.

    Raises:
        DataError: if the file is not there (and says what to put where), is malformed, or is another one: other counts
            than those of the file that the facts were taken from.
    """
    path = find_table(name, root)
    if path is None:
        raise DataError(missing_table(name, root))
    table = _read(name, path)
    facts = FACTS[name]
    if wrong := facts.counts.differences(counts_of(table)):
        problem = f"{path}: not the table that {name} stands for ({'; '.join(wrong)})"
        if facts.sha256 is not None:
            raise DataError(f"{problem}; fetch it from {facts.source}, or read yours with data: {{name: csv, path: …}}")
        table = replace(table, notes=(*table.notes, problem))
    return table


def find_table(name: TableName, root: Path) -> Path | None:
    """The first of the table's files that exists under the data root."""
    return next((path for path in (root / file for file in FACTS[name].files) if path.is_file()), None)


def missing_table(name: TableName, root: Path) -> str:
    """What to fetch, and where to put it."""
    facts = FACTS[name]
    run = f"run `saflex data fetch {name}`, or " if facts.url else ""
    return f"{root / facts.target}: no such file; {run}fetch it from {facts.source}, and put it there"


def fetch_table(name: TableName, root: Path, *, allow_local: bool = False) -> Path:
    """Download a table's file to where it is looked for.

    Args:
        name: Of the table.
        root: The folder with data sets.
        allow_local: As for `download`.

    Raises:
        DataError: says what to fetch by hand and where to put it: no address with a known checksum, or what `download`
            refuses.
    """
    facts = FACTS[name]
    if facts.url is None or facts.md5 is None:
        raise DataError(missing_table(name, root))
    download(facts.url, root / facts.target, md5=facts.md5, allow_local=allow_local)
    return root / facts.target


def counts_of(table: Table) -> Counts:
    """What a table holds."""
    positives = int(table.labels.sum()) if len(table.class_names) == 2 else None
    return Counts(len(table), len(table.continuous), len(table.categorical), positives)


def _read(name: TableName, path: Path) -> Table:
    match name:
        case "qsar":
            return _text(path, target="column 42", positive="RB", separator=";", header=False)
        case "arrhythmia":
            return _arrhythmia(path)
        case "shrutime":
            nominal: tuple[str, ...] = ("Surname", "Geography", "Gender")
            return _text(path, target="Exited", positive="1", nominal=nominal, drop=("RowNumber", "CustomerId"))
        case "click":
            return _text(path, target="click", positive="1", nominal=_CLICK_NOMINAL, numeric=_CLICK_NUMERIC)
        case "kdd99_10pct":
            nominal = ("protocol_type", "service", "flag")
            table = _text(path, target="label", positive="normal.", nominal=nominal, names=_KDD99)
            return replace(table, class_names=("attack", "normal"))
        case "kddcup09_appetency":
            if path.suffix == ".arff":
                return _arff(path, target="APPETENCY", positive="1")
            nominal = tuple(f"Var{number}" for number in range(191, 231))
            return _text(path, target="APPETENCY", positive="1", nominal=nominal)
        case "creditcard":
            return _text(path, target="Class", positive="1", drop=("Time",))
        case "credit_g":
            return _arff(path, target="class", positive="bad")
        case "volkert":
            return _arff(path, target="class", positive=None) if path.suffix == ".arff" else _automl(path)
        case _:
            assert_never(name)


def _text(
    path: Path,
    *,
    target: str,
    positive: str | None,
    separator: str = ",",
    header: bool = True,
    names: Sequence[str] = (),
    nominal: Sequence[str] = (),
    numeric: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> Table:
    """A text file in which every column is continuous that is not said to be something else.

    `names` are those of a file without a header; `numeric` are columns that must be there.
    """
    dialect = Dialect(separator, missing=frozenset({"", "?"}))
    header = header and not names
    found = names or read_names(path, dialect, header=header)
    check_names((target, *nominal, *numeric, *drop), found, str(path))
    kinds = [_kind(name, (target, *nominal), drop) for name in found]
    with open_text(path) as handle:
        columns = read_columns(path, handle, found, kinds, dialect, skip=int(header))
    return assemble(columns, found, target=target, positive=positive, source=str(path))


def _kind(name: str, nominal: Sequence[str], drop: Sequence[str]) -> Kind:
    if name in drop:
        return "skip"
    return "categorical" if name in nominal else "continuous"


def _arff(path: Path, *, target: str, positive: str | None) -> Table:
    names, columns = read_arff(path)
    check_names((target,), [*columns.texts], str(path))
    return assemble(columns, names, target=target, positive=positive, source=str(path))


def _arrhythmia(path: Path) -> Table:
    """ODDS: `X` (452, 274) and `y` (452, 1). Columns with a deviation above 0.08, without index 18 (from 0)."""
    try:
        file = loadmat(path)
        inputs, labels = np.asarray(file["X"], dtype=np.float64), np.asarray(file["y"]).reshape(-1).astype(np.int64)
    except (OSError, ValueError, TypeError, KeyError, NotImplementedError, MatReadError) as error:
        raise DataError(f"{path}: cannot be read as a MATLAB file with X and y ({error}); fetch it again") from error
    if inputs.ndim != 2 or len(inputs) != len(labels) or not set(np.unique(labels)) <= {0, 1}:
        raise DataError(f"{path}: X {inputs.shape} and y {labels.shape} do not fit; fetch it again")
    kept = [index for index in np.flatnonzero(inputs.std(0) > 0.08) if index != 18]
    return Table(
        source=str(path),
        continuous=tuple(Numbers(f"column {index}", inputs[:, index].copy()) for index in kept),
        categorical=(),
        labels=labels,
        class_names=("normal", "outlier"),
        lines=np.arange(1, len(labels) + 1),
    )


def _automl(path: Path) -> Table:
    """ChaLearn AutoML: numbers between spaces, and beside them a one-hot line for each row in `<name>.solution`."""
    solution = path.with_suffix(".solution")
    inputs, one_hot = _spaced(path), _spaced(solution)
    if len(inputs.lines) != len(one_hot.lines):
        raise DataError(f"{path}: {len(inputs.lines):,} rows, but {len(one_hot.lines):,} in {solution.name}")
    classes = np.stack([column.values for column in one_hot.numbers.values()], axis=1)
    if wrong := np.flatnonzero((classes.sum(1) != 1) | (classes.max(1) != 1)).tolist():
        raise DataError(f"{solution}: line {one_hot.lines[wrong[0]]} does not name one class: a single 1, and 0 else")
    target = Texts("class", classes.argmax(1), tuple(map(str, range(classes.shape[1]))))
    columns = Columns(inputs.numbers, {"class": target}, inputs.lines)
    return assemble(columns, [*inputs.numbers, "class"], target="class", positive=None, source=str(path))


def _spaced(path: Path) -> Columns:
    with open_text(path) as handle:
        width = len(handle.readline().split())
        handle.seek(0)
        names = [f"column {number}" for number in range(1, width + 1)]
        lines = (" ".join(line.split()) + "\n" for line in handle)
        return read_columns(path, lines, names, ["continuous"] * width, Dialect(" "))
