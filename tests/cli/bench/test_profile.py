"""`saflex bench profile`."""

from pathlib import Path

import pytest

from tests.cli.conftest import Saflex

pytestmark = pytest.mark.usefixtures("project")


def test_parts_operations_and_a_trace(saflex: Saflex, project: Path) -> None:
    words = ["--method", "saflex_proximal", "--steps", "1", "--top", "2", "--trace", "runs/trace.json"]
    result = saflex("bench", "profile", "tests/digits", *words)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[2:10]] == [
        "loader", "augmentation", "forward", "outer", "solve", "backward", "optimizer", "rest",
    ]  # fmt: skip
    assert "tests/digits, saflex_proximal, 1 steps of" in lines[-2]
    assert (project / "runs" / "trace.json").is_file()


def test_a_method_that_is_not_there(saflex: Saflex) -> None:
    result = saflex("bench", "profile", "tests/digits", "--method", "saflexx")
    assert result.exit_code == 1
    assert "has no method 'saflexx'; did you mean" in result.stderr
