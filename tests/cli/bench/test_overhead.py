"""`saflex bench overhead`."""

from pathlib import Path

import pytest
import torch

from saflex_cli.store.performance.files import read_record
from saflex_cli.store.performance.overhead import Overhead, overhead_path
from tests.cli.conftest import Saflex

pytestmark = pytest.mark.usefixtures("project")

MLP = ["--set", "model={name: mlp, hidden: [4]}", "--set", "train.batch_size=16"]


def test_a_table_of_80_columns_and_a_file(saflex: Saflex, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    words = [*MLP, "--rounds", "1", "--steps", "4", "--out", "mine", "--write"]
    result = saflex("bench", "overhead", "tests/digits", *words)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert max(map(len, lines[:16])) <= 80
    assert lines[0].split() == ["variant", "ms", "upstream", "=", "1", "range", "memory", "added"]
    assert lines[2].split()[0] == "upstream"
    assert "tests/digits, 1 rounds of 4 steps, cpu" in result.stdout
    written = read_record(overhead_path(project / "mine", "tests/digits"), Overhead)
    assert written.train["batch_size"] == 16
    assert written.find("plain_loop") is not None


def test_a_smoke_run_writes_nothing(saflex: Saflex) -> None:
    result = saflex("bench", "overhead", "tests/digits", "--quick", "--write")
    assert result.exit_code == 2
    assert "leave out --quick or --write" in " ".join(result.stderr.replace("│", " ").split())


def test_a_smoke_run(saflex: Saflex) -> None:
    result = saflex("bench", "overhead", "tests/digits", *MLP[:2], "--quick")
    assert result.exit_code == 0, result.output
    assert "2 rounds of 4 steps" in result.stdout


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_cuda(saflex: Saflex) -> None:
    result = saflex("bench", "overhead", "tests/digits", "--device", "cuda")
    assert result.exit_code == 1
    assert "torch finds no CUDA device here" in result.stderr
