"""Class names come from files; what is missing, doubled or out of order is named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from saflex_cli.data.class_names import iwildcam_names, named_folders, shared_names
from saflex_cli.errors import DataError

from .photographs import names_table


def test_rows_without_a_class_are_passed_over_and_order_is_by_label(tmp_path: Path) -> None:
    path = names_table(tmp_path / "labels.csv", ("empty", "Lowland paca"))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], lines[2], lines[3], lines[1]]))
    assert iwildcam_names(path) == ("empty", "Lowland paca")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("y,name\n0,a\n", r"has no column english \(it has y, name\)"),
        ("y,english\n0,a\n0,b\n", r"labels\.csv:3: class 0 has a name already, 'a'"),
        ("y,english\n0,a\n2,b\n", r"has 2 classes, but no class 1"),
        ("y,english\n", r"has 0 classes, but no class 0"),
        ("y,english\nzero,a\n", r"labels\.csv:2: needs a number y and a name, and has 'zero', 'a'"),
        ("y,english\n0,\n", r"labels\.csv:2: needs a number y and a name, and has '0', ''"),
    ],
)
def test_a_table_that_cannot_be_used(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        iwildcam_names(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"labels\.csv: cannot be read .*put a file of class names"):
        iwildcam_names(tmp_path / "labels.csv")


def test_names_of_folders_line_by_line_or_from_a_table(tmp_path: Path) -> None:
    lines, table = tmp_path / "names.txt", tmp_path / "names.csv"
    lines.write_text("a tabby cat\n\na good dog\n")
    assert named_folders(lines, ("cat", "dog")) == ("a tabby cat", "a good dog")
    table.write_text("name,class\na good dog,dog\na tabby cat,cat\nunused,bird\n")
    assert named_folders(table, ("cat", "dog")) == ("a tabby cat", "a good dog")
    with pytest.raises(DataError, match=r"names\.txt: has 2 names, and there are 3 classes \(bird, cat, dog, …\)"):
        named_folders(lines, ("bird", "cat", "dog"))
    with pytest.raises(DataError, match=r"names\.csv: has no name for the class 'fish'"):
        named_folders(table, ("cat", "fish"))
    table.write_text("class,name\ncat,a\ncat,b\n")
    with pytest.raises(DataError, match=r"names\.csv: names a class twice"):
        named_folders(table, ("cat",))


def test_shared_names_ignore_case() -> None:
    assert shared_names(("Lowland paca", "empty", "lowland paca")) == {"lowland paca": (0, 2)}


def test_iwildcam_has_182_classes_and_178_names(real_data: Callable[..., Path]) -> None:
    names = iwildcam_names(real_data("iwildcam/iwildcam_labels.csv") / "iwildcam" / "iwildcam_labels.csv")
    assert len(names) == 182
    assert len({name.lower() for name in names}) == 178
    assert (names[0], names[3], names[181]) == ("empty", "Lowland paca", "central American red brocket")
    assert shared_names(names) == {
        "lowland paca": (3, 148),
        "jaguarundi": (19, 174),
        "unknown bird": (82, 178),
        "central american red brocket": (153, 181),
    }
