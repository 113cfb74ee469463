from pathlib import Path

import pytest

from saflex_cli.config.load import load_recipe
from saflex_cli.errors import ResultsError
from saflex_cli.store.aggregate import TableData, build_table
from saflex_cli.store.check import check_tables, table_files, write_tables
from saflex_cli.store.render import render
from saflex_cli.store.table import load_table

from .conftest import write_values


@pytest.fixture
def data(folder: Path, filled: Path) -> TableData:
    return build_table(load_table(folder / "one.yaml"), filled)


def test_files(data: TableData, results: Path):
    tables = results / "tables"
    assert table_files(results, data.table) == {kind: tables / f"one.{kind}" for kind in ("md", "csv", "tex")}


def test_written_tables_pass_the_check(data: TableData, results: Path):
    paths = write_tables(data, results)
    assert [path.name for path in paths] == ["one.md", "one.csv", "one.tex"]
    assert paths[1].read_text(encoding="utf-8") == render(data, "csv")
    check_tables(data, results)


def test_a_missing_table(data: TableData, results: Path):
    with pytest.raises(ResultsError, match=r"one\.md: cannot be read .*`saflex table recipes/one\.yaml --write`"):
        check_tables(data, results)


def test_an_edited_table_names_its_first_line(data: TableData, results: Path):
    path = write_tables(data, results)[0]
    path.write_text(path.read_text(encoding="utf-8").replace("91.17 ± 1.26", "99.99 ± 0.01"), encoding="utf-8")
    with pytest.raises(ResultsError) as error:
        check_tables(data, results)
    message = str(error.value).splitlines()
    assert message[0] == f"{path}:22: differs from the reports"
    assert "99.99 ± 0.01" in message[1]
    assert "91.17 ± 1.26" in message[2]
    assert message[3] == "`saflex table recipes/one.yaml --write` writes it anew"


def test_a_shortened_table(data: TableData, results: Path):
    path = write_tables(data, results)[2]
    path.write_text(path.read_text(encoding="utf-8").removesuffix("\n"), encoding="utf-8")
    with pytest.raises(ResultsError, match=r"one\.tex:\d+: differs[^~]*\(end of file\)"):
        check_tables(data, results)


def test_changed_line_ends_are_a_difference(data: TableData, results: Path):
    path = write_tables(data, results)[1]
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(ResultsError, match=r"one\.csv:1: "):
        check_tables(data, results)


def test_new_reports_make_the_tables_differ(data: TableData, results: Path, folder: Path):
    write_tables(data, results)
    write_values(results, load_recipe(folder / "digits.yaml"), "upstream", (92.0, 93.0, 95.0))
    with pytest.raises(ResultsError, match=r"one\.md:\d+: differs"):
        check_tables(build_table(data.table, results), results)
