"""`saflex bench methods`."""

from pathlib import Path

import pytest

from saflex_cli.store.bench import bench_path, read_benchmark
from tests.cli.conftest import Saflex

pytestmark = pytest.mark.usefixtures("project")


def test_the_baseline_comes_first_and_costs_one(saflex: Saflex, project: Path) -> None:
    words = ["--baseline", "no_aug", "--method", "saflex_paper", "--rounds", "2", "--steps", "1", "--write"]
    result = saflex("bench", "methods", "tests/digits", *words)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "cost (no_aug = 1)" in lines[0]
    assert lines[2].split()[0] == "no_aug"
    assert lines[2].split()[2] == "1.00"
    assert lines[3].split()[0] == "saflex_paper"
    assert "2 rounds of 1 steps, cpu" in lines[4]
    written = read_benchmark(bench_path(project / "results", "tests/digits"))
    assert [cost.method for cost in written.costs] == ["no_aug", "saflex_paper"]


def test_a_baseline_that_is_not_there(saflex: Saflex) -> None:
    result = saflex("bench", "methods", "tests/digits", "--baseline", "upsteam")
    assert result.exit_code == 1
    assert "has no method 'upsteam'; did you mean upstream" in result.stderr


def test_a_method_without_steps_is_refused(saflex: Saflex) -> None:
    words = ["--set", "methods=[{name: logistic_regression}]", "--baseline", "logistic_regression"]
    result = saflex("bench", "methods", "tests/digits", *words)
    assert result.exit_code == 1
    assert "logistic_regression is fitted as a whole, without training steps to time" in result.stderr
