"""`saflex bench page`."""

from pathlib import Path

import pytest

from saflex_cli.store.performance.costs import Costs
from saflex_cli.store.performance.page import tables
from tests.cli.conftest import Saflex

pytestmark = pytest.mark.usefixtures("project")


def test_written_then_checked(saflex: Saflex, project: Path) -> None:
    page = project / "docs" / "performance.md"
    gone = saflex("bench", "page", "--check")
    assert gone.exit_code == 1
    assert "performance.md: cannot be read" in gone.stderr
    page.parent.mkdir()
    page.write_text("".join(f"<!-- table: {name} -->\n<!-- end of table -->\n" for name in tables(Costs())))
    differs = saflex("bench", "page", "--check")
    assert differs.exit_code == 1
    assert "`saflex bench page --write` writes it anew" in differs.stderr
    assert saflex("bench", "page", "--write").exit_code == 0
    checked = saflex("bench", "page", "--check")
    assert (checked.exit_code, checked.stdout) == (0, "docs/performance.md: as measured\n")
    assert "| head, outer batch B, k = 4 |" in page.read_text()


def test_tables_are_printed(saflex: Saflex) -> None:
    result = saflex("bench", "page")
    assert result.exit_code == 0, result.output
    assert "Not measured yet." in result.stdout
    assert saflex("bench", "page", "--check", "--write").exit_code == 2
