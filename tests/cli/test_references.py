"""References on the command line: planned, run and printed like other methods, and refused where nothing is kept."""

from pathlib import Path

import pytest

from tests.cli.conftest import Saflex
from tests.experiment.test_references import recipe_in


@pytest.fixture
def recipe(project: Path) -> str:
    recipe_in(project)
    return str(project / "recipe.yaml")


def test_planned_run_and_printed(saflex: Saflex, recipe: str) -> None:
    planned = saflex("train", recipe, "--dry-run")
    assert "4 runs, 4 to do" in planned.stdout
    assert "iterations=4" in planned.stdout
    done = saflex("train", recipe)
    assert done.exit_code == 0, done.output
    assert "gradient_boosting_trainval seed 0: test" in done.stdout
    again = saflex("train", recipe, "--dry-run")
    assert "4 runs, 4 already done" in again.stdout
    table = saflex("table", recipe)
    assert table.exit_code == 0, table.output
    assert "| logistic_regression " in table.stdout


def test_without_checkpoint_or_steps(saflex: Saflex, recipe: str) -> None:
    found = saflex("eval", recipe, "--method", "logistic_regression", "--seed", "0")
    assert found.exit_code == 1
    assert "logistic_regression keeps no checkpoint" in found.stderr
    shown = saflex("show", recipe, "--method", "logistic_regression")
    assert "has no upstream augmentation" in shown.stderr
    timed = saflex("bench", "methods", recipe, "--method", "gradient_boosting", "--baseline", "no_aug")
    assert timed.exit_code == 1
    assert "gradient_boosting is fitted as a whole" in timed.stderr


def test_a_benchmark_of_all_methods_leaves_them_out(saflex: Saflex, recipe: str) -> None:
    result = saflex("bench", "methods", recipe, "--baseline", "no_aug", "--rounds", "1", "--steps", "1")
    assert result.exit_code == 0, result.output
    assert "gradient_boosting" not in result.stdout
