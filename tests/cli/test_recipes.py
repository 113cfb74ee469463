"""`saflex recipes`: what exists, where it is published, what is done."""

from pathlib import Path

import pytest

from tests.cli.conftest import Saflex
from tests.probes import write_probe
from tests.studies import write_study

pytestmark = pytest.mark.usefixtures("trained")


def test_counts_and_tables(saflex: Saflex) -> None:
    header, _, row = saflex("recipes").stdout.rstrip().splitlines()
    assert header.split() == ["recipe", "table", "methods", "×", "seeds", "done", "missing", "stale"]
    assert row.split() == ["tests/digits", "one:", "Digits", "4", "×", "2", "4", "4"]


def test_stale_reports_are_counted(saflex: Saflex) -> None:
    path = Path("recipes/tests/digits.yaml")
    path.write_text(path.read_text().replace("epochs: 1", "epochs: 2"))
    assert saflex("recipes").stdout.split()[-2:] == ["4", "4"]
    assert "stale" in saflex("recipes").stdout


def test_one_bad_recipe_does_not_hide_the_others(saflex: Saflex) -> None:
    Path("recipes/tests/bad.yaml").write_text("name: tests/bad\nmodle: {}\n")
    result = saflex("recipes")
    assert result.exit_code == 1
    assert "tests/digits" in result.stdout
    assert "recipes/tests/bad.yaml:2: modle: unknown key" in result.stderr


def test_a_narrow_terminal_keeps_every_column(saflex: Saflex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    lines = saflex("recipes").stdout.splitlines()
    assert max(map(len, lines)) <= 50
    assert "stale" in lines[0] + lines[1]


def test_studies_are_listed(saflex: Saflex) -> None:
    write_study(Path())
    assert ["tiny", "2", "3", "12", "0"] in [line.split() for line in saflex("recipes").stdout.splitlines()]


def test_probes_are_listed(saflex: Saflex) -> None:
    write_probe(Path())
    *_, last = saflex("recipes").stdout.splitlines()
    assert (last.split()[0], last.split()[-1]) == ("tiny", "0")
