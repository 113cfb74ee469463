"""`saflex bench together`."""

from pathlib import Path

import pytest

from saflex_cli.store.bench import read_together_benchmark, together_bench_path
from tests.cli.conftest import Saflex

pytestmark = pytest.mark.usefixtures("project")


def test_seeds_together(saflex: Saflex, project: Path) -> None:
    words = ["--seeds", "2", "--rounds", "1", "--method", "no_aug", "--method", "saflex_proximal"]
    words += ["--set", "model={name: mlp, hidden: [8]}", "--out", "mine", "--write"]
    result = saflex("bench", "together", "tests/digits", *words)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split("  ")[0] == "method"
    assert [line.split()[0] for line in lines[2:4]] == ["no_aug", "saflex_proximal"]
    assert lines[4].startswith("tests/digits, seconds of 2 seeds, 1 rounds, cpu")
    written = read_together_benchmark(together_bench_path(project / "mine", "tests/digits"))
    assert [cell.method for cell in written.cells] == ["no_aug", "saflex_proximal"]
    refused = saflex("bench", "together", "tests/digits")
    assert refused.exit_code == 1
    assert "train them one by one" in refused.stderr
