"""Equal rows, constant columns and checksums, against slow and obviously correct ways."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saflex_cli.data.tables.table import (
    Numbers,
    Table,
    Texts,
    first_of_equals,
    row_numbers,
    table_sha256,
    without_constant_columns,
)
from saflex_cli.errors import DataError
from tests.data.tables.made_up import table


def small(cells: list[tuple[float | None, int, int]]) -> Table:
    """Tables of few different values, so that rows repeat."""
    numbers, codes, labels = zip(*cells, strict=True)
    values = np.array([np.nan if value is None else value for value in numbers])
    return table(
        len(cells),
        continuous=(Numbers("a", values),),
        categorical=(Texts("c", np.array(codes), ("x", "y")),),
        labels=np.array(labels),
    )


CELLS = st.lists(
    st.tuples(st.sampled_from([None, 0.0, -0.0, 1.0]), st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=12
)


@given(CELLS)
def test_equal_rows_have_equal_numbers(cells: list[tuple[float | None, int, int]]) -> None:
    features = [cell[:2] for cell in cells]
    for rows, with_labels in ((features, False), (cells, True)):
        numbers = row_numbers(small(cells), with_labels=with_labels)
        for i in range(len(rows)):
            for j in range(len(rows)):
                assert (numbers[i] == numbers[j]) == (rows[i] == rows[j])


@given(CELLS)
def test_the_first_of_equal_rows_stays(cells: list[tuple[float | None, int, int]]) -> None:
    expected = [index for index, cell in enumerate(cells) if cell not in cells[:index]]
    assert first_of_equals(small(cells)).tolist() == expected


def test_columns_that_hold_one_value_or_none_are_left_out() -> None:
    whole = table(4)
    more = replace(
        whole,
        continuous=(
            Numbers("one", np.full(4, 0.1)),
            Numbers("none", np.full(4, np.nan)),
            Numbers("some", np.array([1.0, np.nan, 1.0, 1.0])),
        ),
        categorical=(Texts("same", np.zeros(4, dtype=np.int64), ("x",)),),
    )
    left = without_constant_columns(more)
    assert [column.name for column in left.continuous] == ["some"]
    assert left.categorical == ()
    assert left.notes == ("left out, as all rows hold one value or none: one, none, same",)
    assert without_constant_columns(whole) == whole


def test_a_table_without_anything_that_varies() -> None:
    with pytest.raises(DataError, match=r"made-up\.csv: every column holds one value in all rows"):
        without_constant_columns(table(2, continuous=(), categorical=()))


def test_the_checksum_is_of_the_content() -> None:
    whole = table()
    assert table_sha256(whole) == table_sha256(replace(table(), source="elsewhere", notes=("read",)))
    others = [
        table(seed=1),
        table(labels=1 - whole.labels),
        table(class_names=("yes", "no")),
        replace(whole, continuous=(replace(whole.continuous[0], name="A"), whole.continuous[1])),
        replace(whole, categorical=(replace(whole.categorical[0], levels=("z", "y", "", "w")),)),
        whole.rows(np.arange(39)),
    ]
    assert len({table_sha256(other) for other in (whole, *others)}) == 7


def test_some_rows() -> None:
    some = table().rows(np.array([3, 5]))
    assert len(some) == 2
    assert some.lines.tolist() == [5, 7]
    assert some.continuous[0].values.tolist() == table().continuous[0].values[[3, 5]].tolist()
