"""The user's own table: inferred kinds, and clear words about what is wrong."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saflex_cli.config.tabular import CsvData
from saflex_cli.data.build import build_data
from saflex_cli.data.tables.custom import custom_table
from saflex_cli.data.tables.load import read_table
from saflex_cli.data.tables.table import Table
from saflex_cli.errors import DataError
from tests.data.tables.made_up import write

TEXT = """id,age,city,zip,flag,outcome
1,30,Rome,00184,x,yes
2,NA,,10115,x,no
3,41,Bonn,53111,x,yes
3,41,Bonn,53111,x,yes
"""


def read(root: Path, text: str = TEXT, **fields: Any) -> Table:
    write(root, "mine.csv", text)
    return custom_table(CsvData(**{"name": "csv", "path": "mine.csv", "target": "outcome"} | fields), root)


def names(table: Table) -> tuple[list[str], list[str]]:
    return [column.name for column in table.continuous], [column.name for column in table.categorical]


def test_kinds_are_inferred_and_said(tmp_path: Path) -> None:
    table = read(tmp_path)
    assert names(table) == (["id", "age", "zip"], ["city"])
    assert table.class_names == ("no", "yes")
    np.testing.assert_array_equal(table.continuous[1].values, [30, np.nan, 41, 41])
    assert table.notes == (
        f"{tmp_path / 'mine.csv'}: 4 rows; classes in outcome: no (1), yes (3)",
        "continuous, 3: id, age, zip",
        "categorical, 1: city (3 levels)",
        "left out, as all rows hold one value or none: flag",
    )


def test_kinds_that_the_recipe_names(tmp_path: Path) -> None:
    table = read(tmp_path, categorical=("zip",), drop=("id",), positive="yes")
    assert names(table) == (["age"], ["city", "zip"])
    assert table.categorical[1].levels[0] == "00184"


def test_what_counts_as_missing_is_the_users(tmp_path: Path) -> None:
    assert names(read(tmp_path, missing=()))[1] == ["age", "city"]


def test_a_text_among_numbers_is_pointed_out(tmp_path: Path) -> None:
    rows = [f"{row},{row % 2}" for row in range(20)]
    rows[7] = "seven,1"
    text = "\n".join(["age,outcome", *rows])
    note = "column age counts as categorical because line 9 holds 'seven' (1 such rows), where the others hold numbers"
    assert note in read(tmp_path, text).notes[3]
    assert len(read(tmp_path, text, categorical=("age",)).notes) == 3
    assert len(read(tmp_path, text, missing=("seven",)).notes) == 3


def test_separator_and_no_header(tmp_path: Path) -> None:
    table = read(tmp_path, "1;a\n2;b\n", separator=";", header=False, target="column 2")
    assert names(table) == (["column 1"], [])


def test_duplicates_are_left_out_if_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "mine.csv", TEXT)
    fields: dict[str, Any] = {"name": "csv", "path": "mine.csv", "target": "outcome"}
    table = read_table(CsvData(**fields, deduplicate=True), tmp_path)
    assert len(table) == 3
    assert table.notes[-1] == "left out: 1 of 4 rows, which equal an earlier one"


def test_build_data_hands_over_notes_and_duplicates(tmp_path: Path) -> None:
    rows = "".join(f"{row % 7},{'ab'[row % 2]},{row % 2}\n" for row in range(60))
    write(tmp_path, "mine.csv", f"x,c,y\n{rows}")
    splits = build_data(CsvData(name="csv", path="mine.csv", target="y", stratify=True), 0, tmp_path)
    assert splits.notes[0] == f"{tmp_path / 'mine.csv'}: 60 rows; classes in y: 0 (30), 1 (30)"
    assert splits.duplicates_across_splits == len(splits.val) + len(splits.test) == 20
    assert splits.levels == (3,)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"target": "Outcome"}, r"mine\.csv: has no column 'Outcome'; did you mean 'outcome'\?"),
        ({"drop": ("ages",)}, r"has no column 'ages'; did you mean 'age'\?"),
        ({"continuous": ("city",)}, r"line 2, column city: 'Rome' is not a finite number"),
        ({"positive": "maybe"}, r"column outcome is never 'maybe'; its values are yes, no"),
        ({"target": "flag"}, r"column flag is 'x' in every row"),
        ({"target": "city"}, r"column city: line 3 has no class \(1 such rows\)"),
        ({"separator": ";"}, r"has no column 'outcome'"),
        ({"path": "other.csv"}, r"other\.csv: no such file"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, **fields)


def test_a_ragged_row_is_found_whatever_the_kinds(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mine\.csv: line 6 has 2 of 6 cells"):
        read(tmp_path, TEXT + "4,5\n")
