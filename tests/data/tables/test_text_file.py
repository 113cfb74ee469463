"""Cells become numbers and levels, and whatever is wrong is named by file, line and column."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from saflex_cli.data.tables import table, text_file
from saflex_cli.data.tables.text_file import (
    Columns,
    Dialect,
    Kind,
    numeric_columns,
    open_text,
    read_columns,
    read_names,
)
from saflex_cli.errors import DataError

KINDS: dict[str, Kind] = {"n": "continuous", "t": "categorical", "s": "skip"}


def read(path: Path, kinds: str, dialect: Dialect | None = None, *, header: bool = True) -> Columns:
    dialect = dialect or Dialect()
    names = read_names(path, dialect, header=header)
    with open_text(path) as handle:
        return read_columns(path, handle, names, [KINDS[kind] for kind in kinds], dialect, skip=int(header))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def test_numbers_levels_and_lines(path: Path) -> None:
    path.write_bytes('﻿a,b,c\r\n1.5, x,-\r\n\r\n-2e3,"y,\nz",-\r\n,x ,-\r\n'.encode())
    columns = read(path, "nts")
    np.testing.assert_array_equal(columns.numbers["a"].values, [1.5, -2000, np.nan])
    assert columns.texts["b"].levels == ("x", "y,\nz")
    assert columns.texts["b"].codes.tolist() == [0, 1, 0]
    assert columns.lines.tolist() == [2, 5, 6]
    assert "c" not in columns.numbers | columns.texts


def test_what_is_missing_is_nan_or_one_level(path: Path) -> None:
    path.write_text("a,b\n1,x\n?,?\nNA,NA\n,\n")
    columns = read(path, "nt", Dialect(missing=frozenset({"", "?", "NA"})))
    np.testing.assert_array_equal(columns.numbers["a"].values, [1, np.nan, np.nan, np.nan])
    assert columns.texts["b"].levels == ("x", "")
    assert columns.texts["b"].codes.tolist() == [0, 1, 1, 1]


def test_chunks_do_not_show(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("a,b\n" + "".join(f"{row},{row % 3}\n" for row in range(10)))
    whole = read(path, "nt")
    monkeypatch.setattr(text_file, "_CHUNK", 3)
    chunked = read(path, "nt")
    assert np.array_equal(whole.numbers["a"].values, chunked.numbers["a"].values)
    assert np.array_equal(whole.texts["b"].codes, chunked.texts["b"].codes)
    assert chunked.lines.tolist() == list(range(2, 12))


def test_a_gzipped_file_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "table.gz"
    path.write_bytes(gzip.compress(b"1;x\n2;y\n"))
    columns = read(path, "nt", Dialect(";"), header=False)
    assert columns.numbers["column 1"].values.tolist() == [1, 2]
    assert columns.texts["column 2"].levels == ("x", "y")


def test_an_unnamed_column_gets_its_number(path: Path) -> None:
    path.write_text(",a\n0,1\n")
    assert read_names(path, Dialect(), header=True) == ("column 1", "a")


def test_kinds_are_told_by_all_cells(path: Path) -> None:
    path.write_text("a,b,c,d,e\n1,1,?,1_0,inf\n? ,x,?,2,3\n")
    names = read_names(path, Dialect(), header=True)
    found = numeric_columns(path, names, Dialect(missing=frozenset({"?"})), skip=1)
    assert found == (True, False, False, False, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"table\.csv: is empty"),
        ("a,b\n", r"table\.csv: has no row of data"),
        ("a,b\n1,x\n1\n", r"table\.csv: line 3 has 1 of 2 cells"),
        ("a,b\n1,x\n1,x,y\n", r"table\.csv: line 3 has 3 of 2 cells"),
        ("a,b\n1,x\nten,x\n", r"table\.csv: line 3, column a: 'ten' is not a finite number"),
        ("a,b\n1_000,x\n", r"line 2, column a: '1_000' is not a finite number"),
        ("a,b\ninf,x\n", r"line 2, column a: 'inf' is not a finite number"),
        ("a,b\nnan,x\n", r"line 2, column a: 'nan' is not a finite number"),
        ("a,a\n1,x\n", r"names two columns 'a' \(numbers 1 and 2\)"),
        ('a,b\n1,"x\n', r"cannot be read \(line 2: unexpected end of data\)"),
    ],
)
def test_what_is_wrong_is_named(path: Path, text: str, message: str) -> None:
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read(path, "nt")


def test_a_column_with_too_many_levels(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert table.MAX_LEVELS == 100_000
    monkeypatch.setattr(text_file, "MAX_LEVELS", 3)
    path.write_text("a,b\n" + "".join(f"1,{row}\n" for row in range(5)))
    with pytest.raises(DataError, match=r"column b has more than 3 different values \(line 5\); list it under drop"):
        read(path, "nt")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"table\.csv: no such file"):
        read(tmp_path / "table.csv", "nt")
    (tmp_path / "table.csv").write_bytes(b"a,b\n\xe9,x\n")
    with pytest.raises(DataError, match="not UTF-8 text"):
        read(tmp_path / "table.csv", "nt")
    (tmp_path / "table.gz").write_bytes(gzip.compress(b"a,b\n1,x\n")[:-9])
    with pytest.raises(DataError, match=r"table\.gz: cannot be read"):
        read(tmp_path / "table.gz", "nt")
