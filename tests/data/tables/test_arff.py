"""ARFF as OpenML serves it."""

from pathlib import Path

import numpy as np
import pytest

from saflex_cli.data.tables.arff import read_arff
from saflex_cli.errors import DataError

HEADER = """% A comment
@relation german_credit
@attribute checking_status { '<0', '0<=X<200', 'no checking'}
@ATTRIBUTE 'a name' REAL
@attribute note string
@attribute class {good, bad}

@DATA
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "credit.arff"


def test_names_kinds_and_cells(path: Path) -> None:
    path.write_text(HEADER + "'<0',6,'it\\'s',good\n% between\n'no checking',?,b,bad\n\n?,1.5,c,good\n")
    names, columns = read_arff(path)
    assert names == ("checking_status", "a name", "note", "class")
    assert columns.texts["checking_status"].levels == ("<0", "no checking", "")
    assert columns.texts["note"].levels == ("it's", "b", "c")
    np.testing.assert_array_equal(columns.numbers["a name"].values, [6, np.nan, 1.5])
    assert columns.lines.tolist() == [9, 11, 13]


def test_double_quotes(path: Path) -> None:
    path.write_text('@relation r\n@attribute "a b" {"x, y", z}\n@data\n"x, y"\nz\n')
    _, columns = read_arff(path)
    assert columns.texts["a b"].levels == ("x, y", "z")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"credit\.arff: no @data in it"),
        ("a,b\n1,2\n", "line 1 is not part of an ARFF header: a,b"),
        ("@relation r\n@attribute a\n@data\n", "line 2 cannot be read: @attribute a"),
        ("@attribute a date\n@data\n", "line 1, column a: type 'date' is not read here"),
        ("@attribute a real\n@attribute a real\n@data\n", "declares column a twice"),
        (HEADER, "has no row of data"),
        (HEADER + "{1 2, 3 bad}\n", "line 9 is a sparse row"),
        (HEADER + "'<0',6,a,good\n'<0',six,a,good\n", "line 10, column a name: 'six' is not a finite number"),
        (HEADER + "'<0',6,a,good\n'<0',6,good\n", "line 10 has 3 of 4 cells"),
        (HEADER + "'<0',6,a,good\n'<0',6,a,fair\n", "line 10, column class: 'fair' is not among the declared levels"),
    ],
)
def test_what_is_wrong_is_named(path: Path, text: str, message: str) -> None:
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_arff(path)
