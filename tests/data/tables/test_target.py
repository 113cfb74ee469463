"""Which class a row has."""

import numpy as np
import pytest

from saflex_cli.data.tables.table import Numbers, Texts
from saflex_cli.data.tables.target import assemble, check_names, classes, shortened
from saflex_cli.data.tables.text_file import Columns
from saflex_cli.errors import DataError

LINES = np.array([2, 3, 5])


def target(*values: str) -> Texts:
    levels = tuple(dict.fromkeys(values))
    return Texts("y", np.array([levels.index(value) for value in values]), levels)


def labelled(
    *values: str, positive: str | None = None, negative: str | None = None
) -> tuple[list[int], tuple[str, ...]]:
    labels, names = classes(target(*values), LINES, positive, negative, "f.csv")
    return labels.tolist(), names


def test_every_value_is_a_class_sorted_as_numbers_before_texts() -> None:
    assert labelled("10", "9", "x") == ([1, 0, 2], ("9", "10", "x"))


def test_one_value_against_the_rest() -> None:
    assert labelled("a", "b", "a", positive="a") == ([1, 0, 1], ("b", "a"))
    assert labelled("a", "b", "c", positive="c") == ([0, 0, 1], ("not c", "c"))
    assert labelled("a", "b", "c", positive="c", negative="fine") == ([0, 0, 1], ("fine", "c"))


def test_a_row_without_a_class() -> None:
    with pytest.raises(DataError, match=r"f\.csv: column y: line 3 has no class \(2 such rows\)"):
        labelled("a", "", "")


def test_one_class_alone() -> None:
    with pytest.raises(DataError, match=r"column y is 'a' in every row; a classifier needs two classes"):
        labelled("a", "a", "a")


def test_a_positive_value_that_no_row_has() -> None:
    with pytest.raises(DataError, match=r"column y is never '1\.0'; its values are 0, 1"):
        labelled("0", "1", "1", positive="1.0")


def test_a_number_to_predict() -> None:
    values = [str(value) for value in range(1001)]
    with pytest.raises(DataError, match=r"column y has 1,001 different values, more than 1,000 classes"):
        classes(target(*values), np.arange(1001), None, None, "f.csv")


def test_columns_keep_their_order_and_the_target_is_none_of_them() -> None:
    numbers = {name: Numbers(name, np.arange(3.0)) for name in ("b", "a")}
    columns = Columns(numbers, {"y": target("u", "v", "v")}, LINES)
    table = assemble(columns, ("a", "y", "b"), target="y", positive=None, source="f.csv")
    assert [column.name for column in table.continuous] == ["a", "b"]
    assert table.categorical == ()
    assert table.labels.tolist() == [0, 1, 1]
    assert table.lines.tolist() == [2, 3, 5]


def test_a_column_that_does_not_exist() -> None:
    with pytest.raises(DataError, match=r"f\.csv: has no column 'Exit'; did you mean 'Exited'\?"):
        check_names(["Age", "Exit"], ["Age", "Exited"], "f.csv")
    with pytest.raises(DataError, match=r"has no column 'target'; it has Age, Exited"):
        check_names(["target"], ["Age", "Exited"], "f.csv")


def test_long_lists_are_cut() -> None:
    assert shortened(["a", "b"]) == "a, b"
    assert shortened([str(n) for n in range(1200)], most=2) == "0, 1, … (1,200 in all)"
