"""`saflex bench epoch`."""

from pathlib import Path

import pytest

from saflex_cli.store.performance.epoch import EpochBenchmark, epoch_path
from saflex_cli.store.performance.files import read_record
from tests.cli.conftest import METHODS, Saflex

pytestmark = pytest.mark.usefixtures("project")

UPSTREAM = ["--set", "methods=[{name: upstream}, {name: saflex, preset: proximal}, {name: no_aug}]"]


def test_epochs_are_shown_beside_the_published_overhead(saflex: Saflex, project: Path) -> None:
    words = [*UPSTREAM, "--set", "augmenter={name: mixup}", "--rounds", "1", "--run-epochs", "1"]
    result = saflex("bench", "epoch", "tests/digits", *words, "--out", "mine", "--write")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["upstream", "saflex_proximal"]
    assert lines[4] == "The paper states +31 %."
    assert "A whole run of the upstream takes" in lines[5]
    assert "1 rounds of 1 epochs of 2 steps" in lines[6]
    written = read_record(epoch_path(project / "mine", "tests/digits"), EpochBenchmark)
    assert written.published == 31


def test_a_recipe_without_an_upstream(saflex: Saflex) -> None:
    assert all(method["name"] != "upstream" or "train_on" in method for method in METHODS)
    result = saflex("bench", "epoch", "tests/digits", "--set", "methods=[{name: no_aug}]")
    assert result.exit_code == 1
    assert "has no method 'upstream'" in result.stderr
