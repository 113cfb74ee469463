"""`saflex table`: printed, written, checked."""

from pathlib import Path

import pytest

from saflex_cli.store.files import report_path
from tests.cli.conftest import Saflex

pytestmark = pytest.mark.usefixtures("trained")


@pytest.mark.parametrize("given", ["one", "recipes/tables/one.yaml"])
def test_by_name_or_path_in_markdown(saflex: Saflex, given: str) -> None:
    result = saflex("table", given)
    assert result.exit_code == 0
    assert result.stdout.startswith("# One recipe\n")
    assert "upstream" in result.stdout


def test_other_formats_are_alone_on_stdout(saflex: Saflex) -> None:
    assert "tabular" in saflex("table", "one", "--format", "tex").stdout
    assert saflex("table", "one", "--format", "csv").stdout.startswith("recipe,method,")


def test_a_recipe_with_missing_reports(saflex: Saflex) -> None:
    refused = saflex("table", "tests/digits")
    assert refused.exit_code == 1
    assert "saflex train recipes/tests/digits.yaml" in refused.stderr
    assert refused.stdout == ""
    assert saflex("table", "tests/digits", "--allow-missing").exit_code == 0


def test_write_then_check(saflex: Saflex) -> None:
    missing = saflex("table", "--check")
    assert missing.exit_code == 1
    assert "results/tables/one.md" in missing.stderr
    written = saflex("table", "one", "--write")
    assert written.stderr.splitlines() == [f"wrote results/tables/one.{kind}" for kind in ("md", "csv", "tex")]
    assert written.stdout == Path("results/tables/one.md").read_text()
    assert saflex("table", "--check").stdout == "one: as its reports say\n"
    Path("results/tables/one.csv").write_text("other")
    differs = saflex("table", "one", "--check")
    assert differs.exit_code == 1
    assert "results/tables/one.csv:1: differs" in differs.stderr


def test_check_of_a_table_that_has_not_begun(saflex: Saflex) -> None:
    report_path(Path("results"), "tests/digits", "no_aug", 1).unlink()
    result = saflex("table", "--check")
    assert (result.exit_code, result.stdout) == (0, "one: not written; 3 of 4 reports are there\n")
    assert saflex("table", "one", "--check").exit_code == 1


def test_check_without_table_files(saflex: Saflex) -> None:
    Path("recipes/tables/one.yaml").unlink()
    result = saflex("table", "--check")
    assert result.exit_code == 1
    assert "no table files in recipes/tables/" in result.stderr


def test_another_results_folder(saflex: Saflex) -> None:
    Path("results").rename("mine")
    assert saflex("table", "one").exit_code == 1
    assert saflex("table", "one", "--out", "mine").exit_code == 0


def test_a_stale_report_is_refused(saflex: Saflex) -> None:
    path = Path("recipes/tests/digits.yaml")
    path.write_text(path.read_text().replace("epochs: 1", "epochs: 2"))
    result = saflex("table", "one", "--allow-missing")
    assert result.exit_code == 1
    assert "train.epochs: 1 → 2" in result.stderr


def test_set_belongs_to_recipes(saflex: Saflex) -> None:
    result = saflex("table", "one", "--set", "train.epochs=2")
    assert result.exit_code == 1
    assert "--set changes recipes, not table files" in result.stderr


def test_a_table_that_says_why_it_is_incomplete_is_written_and_checked(saflex: Saflex) -> None:
    report_path(Path("results"), "tests/digits", "no_aug", 1).unlink()
    path = Path("recipes/tables/one.yaml")
    path.write_text(path.read_text() + "incomplete: The other run wants a GPU.\n")
    assert saflex("table", "one", "--write").exit_code == 0
    written = Path("results/tables/one.md").read_text()
    assert "Incomplete: The other run wants a GPU. n is the number of seeds" in " ".join(written.split())
    assert "--allow-missing" not in written
    assert saflex("table", "--check").stdout == "one: as its reports say\n"
