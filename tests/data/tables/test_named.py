"""The paper's tables: the real files where they are at hand, and small ones in the exact formats."""

import dataclasses
import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from scipy.io import savemat

from saflex_cli.config.tabular import TableName, TabularData
from saflex_cli.data.build import build_data
from saflex_cli.data.tables.facts import FACTS, Counts
from saflex_cli.data.tables.named import counts_of, fetch_table, named_table
from saflex_cli.data.tables.table import Table, first_of_equals
from saflex_cli.errors import DataError
from tests.data.tables.made_up import random_values, write
from tests.data.test_download import CONTENT, MD5, Server, server

__all__ = ["server"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A table's facts with the counts of a made-up file."""

    def set_counts(name: TableName, *counts: int | None) -> None:
        monkeypatch.setitem(FACTS, name, dataclasses.replace(FACTS[name], counts=Counts(*counts)))

    return set_counts


@pytest.mark.parametrize("name", ["qsar", "arrhythmia", "shrutime", pytest.param("click", marks=pytest.mark.slow)])
def test_the_real_files_hold_what_the_facts_say(real_data: Callable[..., Path], name: TableName) -> None:
    facts = FACTS[name]
    root = real_data(facts.target)
    assert hashlib.sha256((root / facts.target).read_bytes()).hexdigest() == facts.sha256
    table = named_table(name, root)
    assert counts_of(table) == facts.counts
    assert table.notes == ()
    splits = build_data(TabularData(name="tabular", table=name), 0, root)
    assert splits.train.inputs.shape == (len(table) - len(splits.val) - len(splits.test), facts.counts.features)
    assert len(splits.levels) == facts.counts.categorical


def test_shrutime_keeps_the_surnames(real_data: Callable[..., Path]) -> None:
    table = named_table("shrutime", real_data(FACTS["shrutime"].target))
    levels = {texts.name: len(texts.levels) for texts in table.categorical}
    assert levels == {"Surname": 2932, "Geography": 3, "Gender": 2}


@pytest.mark.slow
def test_kdd99(real_data: Callable[..., Path]) -> None:
    table = named_table("kdd99_10pct", real_data(FACTS["kdd99_10pct"].target))
    assert counts_of(table) == Counts(494_021, 36, 3, 97_278)
    assert table.notes == ("left out, as all rows hold one value or none: num_outbound_cmds, is_host_login",)
    assert [len(texts.levels) for texts in table.categorical] == [3, 66, 11]
    assert len(table) - len(first_of_equals(table)) == 348_436  # one more than with the 23 names of attacks


def test_every_table_of_the_schema_has_facts() -> None:
    assert tuple(FACTS) == get_args(TableName)
    assert all((facts.url is None) or (facts.md5 is not None) for facts in FACTS.values())
    assert all(facts.url is None or facts.url.startswith("https://") for facts in FACTS.values())
    named = [facts.row_of_table_5 for facts in FACTS.values() if facts.row_of_table_5]
    assert len(set(named)) == len(named) == 7


def read(name: TableName, root: Path, file: str, text: str) -> Table:
    write(root, f"tabular/{file}", text)
    return named_table(name, root)


def test_qsar(tmp_path: Path, small: Callable[..., None]) -> None:
    small("qsar", 4, 41, 0, 3)
    rows = [[*map(str, row), label] for row, label in zip(random_values(4, 41), ("RB", "RB", "NRB", "RB"), strict=True)]
    table = read("qsar", tmp_path, "qsar/biodeg.csv", "".join(";".join(row) + "\r\n" for row in rows))
    assert table.class_names == ("NRB", "RB")
    assert table.labels.tolist() == [1, 1, 0, 1]
    assert [column.values[0] for column in table.continuous] == random_values(4, 41)[0].tolist()


def test_arrhythmia(tmp_path: Path, small: Callable[..., None]) -> None:
    small("arrhythmia", 30, 272, 0, 10)
    inputs = random_values(30, 274)
    inputs[:, 7] *= 0.01
    path = tmp_path / "tabular" / "arrhythmia" / "arrhythmia.mat"
    path.parent.mkdir(parents=True)
    savemat(path, {"X": inputs, "y": (np.arange(30) % 3 == 0).astype(float)[:, None]})
    table = named_table("arrhythmia", tmp_path)
    assert [column.name for column in table.continuous] == [f"column {n}" for n in range(274) if n not in (7, 18)]
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"arrhythmia\.mat: cannot be read as a MATLAB file with X and y"):
        named_table("arrhythmia", tmp_path)
    savemat(path, {"X": inputs, "y": np.arange(30)})
    with pytest.raises(DataError, match=r"X \(30, 274\) and y \(30,\) do not fit"):
        named_table("arrhythmia", tmp_path)


def test_kdd99_small(tmp_path: Path, small: Callable[..., None]) -> None:
    small("kdd99_10pct", 3, 1, 1, 1)
    zeros = ["0"] * 41
    rows = [
        ["1", "tcp", *zeros[:39], "normal."],
        ["2", "udp", *zeros[:39], "smurf."],
        ["3", "udp", *zeros[:39], "pod."],
    ]
    path = tmp_path / "tabular" / "kddcup99_10pct" / "kddcup.data_10_percent.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress("".join(",".join(row) + "\n" for row in rows).encode()))
    table = named_table("kdd99_10pct", tmp_path)
    assert (table.class_names, table.labels.tolist()) == (("attack", "normal"), [1, 0, 0])
    assert "service, flag" in table.notes[0]


def test_creditcard(tmp_path: Path, small: Callable[..., None]) -> None:
    small("creditcard", 2, 29, 0, 1)
    header = ",".join(f'"{name}"' for name in ["Time", *(f"V{n}" for n in range(1, 29)), "Amount", "Class"])
    rows = "".join(f'{n},{",".join(map(str, row))},"{n}"\n' for n, row in enumerate(random_values(2, 29)))
    table = read("creditcard", tmp_path, "creditcard/creditcard.csv", f"{header}\n{rows}")
    assert [column.name for column in table.continuous][::28] == ["V1", "Amount"]
    assert table.labels.tolist() == [0, 1]
    with pytest.raises(DataError, match=r"creditcard\.csv: has no column 'Class'; did you mean 'class'\?"):
        read("creditcard", tmp_path, "creditcard/creditcard.csv", header.replace("Class", "class") + f"\n{rows}")


def test_creditcard_in_the_format_of_the_real_sample(
    real_data: Callable[..., Path], tmp_path: Path, small: Callable[..., None]
) -> None:
    """The sample has an index in front, which the published file has not."""
    small("creditcard", 1_722, 29, 0, 492)
    sample = "credit_sample/creditcard_sample_1722.csv"
    lines = (real_data(f"tabular/{sample}") / "tabular" / sample).read_text().splitlines()
    text = "".join(line.split(",", 1)[1] + "\n" for line in lines)
    assert read("creditcard", tmp_path, "creditcard/creditcard.csv", text).notes == ()


def test_credit_g(tmp_path: Path, small: Callable[..., None]) -> None:
    small("credit_g", 3, 1, 1, 1)
    text = (
        "@relation german_credit\n@attribute checking_status { '<0', '0<=X<200'}\n@attribute duration real\n"
        "@attribute class { good, bad}\n@data\n'<0',6,good\n'0<=X<200',48,bad\n'<0',12,good\n"
    )
    table = read("credit_g", tmp_path, "credit_g/credit-g.arff", text)
    assert (table.class_names, table.labels.tolist()) == (("good", "bad"), [0, 1, 0])
    with pytest.raises(DataError, match="has no column 'class'; did you mean 'Class'"):
        read("credit_g", tmp_path, "credit_g/credit-g.arff", text.replace("class {", "Class {"))


APPETENCY = [f"Var{n}" for n in range(1, 231)]


@pytest.mark.parametrize("suffix", ["arff", "csv"])
def test_appetency_leaves_out_what_is_empty(tmp_path: Path, small: Callable[..., None], suffix: str) -> None:
    small("kddcup09_appetency", 3, 188, 39, 1)
    rows = [["?"] * 2 + [str(n)] * 188 + [f"t{n}"] * 39 + ["?", str(label)] for n, label in enumerate((-1, 1, -1))]
    data = "".join(",".join(row) + "\n" for row in rows)
    kinds = ["numeric"] * 190 + ["{t0,t1,t2}"] * 40
    attributes = "".join(f"@attribute {name} {kind}\n" for name, kind in zip(APPETENCY, kinds, strict=True))
    header = {
        "arff": f"@relation KDDCup09\n{attributes}@attribute APPETENCY {{-1,1}}\n@data\n",
        "csv": ",".join([*APPETENCY, "APPETENCY"]) + "\n",
    }[suffix]
    table = read("kddcup09_appetency", tmp_path, f"kddcup09/KDDCup09_appetency.{suffix}", header + data)
    assert (table.class_names, table.labels.tolist()) == (("-1", "1"), [0, 1, 0])
    assert table.notes == ("left out, as all rows hold one value or none: Var1, Var2, Var230",)


VOLKERT = "0.5 0 1 \n0.25 0 2 \n0.5 0 3 \n"


def test_volkert_as_arff_and_as_published_by_the_challenge(tmp_path: Path, small: Callable[..., None]) -> None:
    small("volkert", 3, 2, 0, None)
    text = VOLKERT.replace(" \n", "\n").replace(" ", ",").split()
    rows = "".join(f"{label},{row}\n" for label, row in zip((0, 2, 1), text, strict=True))
    header = "@relation volkert\n@attribute class {0,1,2}\n" + "".join(f"@attribute V{n} numeric\n" for n in (1, 2, 3))
    arff = read("volkert", tmp_path / "one", "volkert/volkert.arff", f"{header}@data\n{rows}")
    write(tmp_path / "two", "tabular/volkert/volkert_train.solution", "1 0 0\n0 0 1\n0 1 0\n")
    plain = read("volkert", tmp_path / "two", "volkert/volkert_train.data", VOLKERT)
    for table in (arff, plain):
        assert (table.class_names, table.labels.tolist()) == (("0", "1", "2"), [0, 2, 1])
        assert [column.values.tolist() for column in table.continuous] == [[0.5, 0.25, 0.5], [1, 2, 3]]


@pytest.mark.parametrize(
    ("solution", "message"),
    [
        (None, r"volkert_train\.solution: no such file"),
        ("1 0 0\n0 0 1\n", r"volkert_train\.data: 3 rows, but 2 in volkert_train\.solution"),
        ("1 0 0\n0 1 1\n0 1 0\n", r"volkert_train\.solution: line 2 does not name one class"),
    ],
)
def test_a_solution_that_does_not_fit(tmp_path: Path, solution: str | None, message: str) -> None:
    if solution is not None:
        write(tmp_path, "tabular/volkert/volkert_train.solution", solution)
    with pytest.raises(DataError, match=message):
        read("volkert", tmp_path, "volkert/volkert_train.data", VOLKERT)


def test_another_file_is_refused_where_the_right_one_is_known(tmp_path: Path) -> None:
    text = "".join(
        f"{';'.join(map(str, row))};{label}\n" for row, label in zip(random_values(2, 41), ("RB", "NRB"), strict=True)
    )
    with pytest.raises(DataError, match=r"not the table that qsar stands for \(rows: 2 rather than 1,055; positives"):
        read("qsar", tmp_path, "qsar/biodeg.csv", text)


def test_another_file_is_noted_where_it_is_not(tmp_path: Path) -> None:
    write(tmp_path, "tabular/volkert/volkert_train.solution", "1 0 0\n0 0 1\n0 1 0\n")
    table = read("volkert", tmp_path, "volkert/volkert_train.data", VOLKERT)
    assert "not the table that volkert stands for (rows: 3 rather than 58,310" in table.notes[-1]


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    fetched = (
        r"biodeg\.csv: no such file; run `saflex data fetch qsar`, or fetch it from https://archive\.ics.*, and put"
    )
    with pytest.raises(DataError, match=fetched):
        named_table("qsar", tmp_path)
    with pytest.raises(
        DataError, match=r"creditcard\.csv: no such file; fetch it from https://www\.kaggle\.com.*login"
    ):
        fetch_table("creditcard", tmp_path)


def test_fetching(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = dataclasses.replace(FACTS["qsar"], url=server.url(), md5=MD5)
    monkeypatch.setitem(FACTS, "qsar", facts)
    assert fetch_table("qsar", tmp_path, allow_local=True) == tmp_path / "tabular" / "qsar" / "biodeg.csv"
    assert (tmp_path / "tabular" / "qsar" / "biodeg.csv").read_bytes() == CONTENT
