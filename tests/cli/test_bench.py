"""`saflex bench`."""

from pathlib import Path

import pytest

from saflex_cli.store.bench import bench_path, read_benchmark, read_together_benchmark, together_bench_path
from tests.cli.conftest import Saflex

pytestmark = pytest.mark.usefixtures("project")


def test_the_baseline_comes_first_and_costs_one(saflex: Saflex, project: Path) -> None:
    words = ["--baseline", "no_aug", "--method", "saflex_paper", "--rounds", "2", "--steps", "1", "--write"]
    result = saflex("bench", "tests/digits", *words)
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
    result = saflex("bench", "tests/digits", "--baseline", "upsteam")
    assert result.exit_code == 1
    assert "has no method 'upsteam'; did you mean upstream" in result.stderr


def test_seeds_together(saflex: Saflex, project: Path) -> None:
    words = ["--together", "--seeds", "2", "--rounds", "1", "--method", "no_aug", "--method", "saflex_proximal"]
    words += ["--set", "model={name: mlp, hidden: [8]}", "--out", "mine", "--write"]
    result = saflex("bench", "tests/digits", *words)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split("  ")[0] == "method"
    assert [line.split()[0] for line in lines[2:4]] == ["no_aug", "saflex_proximal"]
    assert lines[4].startswith("tests/digits, seconds of 2 seeds, 1 rounds, cpu")
    written = read_together_benchmark(together_bench_path(project / "mine", "tests/digits"))
    assert [cell.method for cell in written.cells] == ["no_aug", "saflex_proximal"]
    refused = saflex("bench", "tests/digits", "--together")
    assert refused.exit_code == 1
    assert "leave --together out" in refused.stderr
