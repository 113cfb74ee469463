"""Whole epochs in turns, and whole runs beside the same by hand."""

from pathlib import Path

import pytest

from saflex_cli.config.identity import config_hash, find_method, run_config
from saflex_cli.errors import RecipeError
from saflex_cli.experiment.costs.epochs import measure_epochs
from saflex_cli.store.performance.epoch import EpochBenchmark, EpochCost, epoch_path
from saflex_cli.store.performance.files import read_record, write_record
from tests.recipes import make_recipe

MLP = {"name": "mlp", "hidden": [4]}


def test_epochs_and_runs(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, model=MLP)
    measured = measure_epochs(recipe, ["upstream", "saflex_proximal"], rounds=2, run_epochs=1)
    assert measured.batches == 4, "100 samples in batches of 32; the last one is smaller"
    assert [(cost.method, len(cost.seconds)) for cost in measured.costs] == [("upstream", 2), ("saflex_proximal", 2)]
    assert measured.summary("upstream") == (0.0, 0.0, 0.0)
    proximal = run_config(recipe, find_method(recipe, "saflex_proximal"))
    assert measured.costs[1].config_hash == config_hash(proximal)
    assert measured.published is None
    assert measured.run is not None
    assert (len(measured.run.program), len(measured.run.by_hand), measured.run.epochs) == (2, 2, 1)
    path = write_record(epoch_path(tmp_path / "results", recipe.name), measured)
    assert read_record(path, EpochBenchmark) == measured


def test_a_run_that_cannot_be_made_by_hand_is_left_out(tmp_path: Path) -> None:
    train = {"epochs": 1, "batch_size": 32, "updates_per_epoch": 2}
    measured = measure_epochs(make_recipe(tmp_path, model=MLP, train=train), ["upstream"], rounds=1, run_epochs=1)
    assert measured.run is None
    assert measured.batches == 2


def test_overheads_are_taken_round_by_round(tmp_path: Path) -> None:
    measured = measure_epochs(make_recipe(tmp_path, model=MLP), ["upstream"], rounds=1)
    costs = (
        EpochCost(method="upstream", config_hash="0", seconds=(1.0, 2.0, 2.0)),
        EpochCost(method="slow", config_hash="0", seconds=(1.5, 3.0, 4.0)),
    )
    made = measured.model_copy(update={"costs": costs, "augmenter": [{"name": "mixup"}]})
    assert made.summary("slow") == (50.0, 50.0, 100.0)
    assert made.published == 31


def test_a_method_without_epochs_is_refused(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, methods=[{"name": "upstream"}, {"name": "logistic_regression"}])
    with pytest.raises(RecipeError, match="logistic_regression is fitted as a whole, without epochs"):
        measure_epochs(recipe, ["upstream", "logistic_regression"], rounds=1)
