"""Costs are measured on the real training step, in turns, and say what they compare."""

from pathlib import Path

import pytest

from saflex_cli.config.identity import config_hash, find_method, run_config
from saflex_cli.errors import RecipeError, ResultsError
from saflex_cli.experiment.benchmark import measure
from saflex_cli.experiment.costs import turns
from saflex_cli.store.bench import Benchmark, MethodCost, bench_path, read_benchmark, write_benchmark
from tests.recipes import make_recipe


def test_every_method_has_its_turn_in_every_round(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path)
    rounds: list[int] = []
    measured = measure(recipe, ["upstream", "saflex_paper"], rounds=3, steps=2, on_round=rounds.append)
    assert rounds == [1, 2, 3]
    assert [(cost.method, len(cost.seconds)) for cost in measured.costs] == [("upstream", 3), ("saflex_paper", 3)]
    assert measured.ratios("upstream") == [1.0, 1.0, 1.0]
    assert measured.summary("saflex_paper")[0] > 1.0, "two passes more cannot be free"
    paper = run_config(recipe, find_method(recipe, "saflex_paper"))
    assert measured.costs[1].config_hash == config_hash(paper)


def test_seconds_are_per_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "timed", lambda _turn, steps, _device: 0.5 * steps)
    [cost] = measure(make_recipe(tmp_path), ["no_aug"], rounds=2, steps=4).costs
    assert cost.seconds == (0.5, 0.5)


def test_ratios_are_taken_round_by_round(tmp_path: Path) -> None:
    """The machine is half as fast in the second round and in the third: the ratio stays 3."""
    measured = measure(make_recipe(tmp_path), ["upstream"], rounds=1, steps=1)
    costs = (
        MethodCost(method="upstream", config_hash="0", seconds=(1.0, 2.0, 2.0)),
        MethodCost(method="slow", config_hash="0", seconds=(3.0, 6.0, 8.0)),
    )
    made = measured.model_copy(update={"costs": costs})
    assert made.ratios("slow") == [3.0, 3.0, 4.0]
    assert made.summary("slow") == (3.0, 3.0, 3.5)


def test_written_and_read(tmp_path: Path) -> None:
    measured = measure(make_recipe(tmp_path), ["no_aug"], rounds=1, steps=1)
    path = write_benchmark(tmp_path / "results", measured)
    assert path == bench_path(tmp_path / "results", "tests/digits")
    assert read_benchmark(path) == measured
    assert isinstance(read_benchmark(path), Benchmark)
    path.write_text("{}")
    with pytest.raises(ResultsError, match="not a whole benchmark"):
        read_benchmark(path)
    with pytest.raises(ResultsError, match="cannot be read"):
        read_benchmark(tmp_path / "gone.json")


def test_a_batch_larger_than_the_data_is_refused(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, train={"epochs": 1, "batch_size": 1000})
    with pytest.raises(RecipeError, match=r"train\.batch_size is 1000, but there are 100"):
        measure(recipe, ["no_aug"], rounds=1, steps=1)


def test_batches_of_all_samples_are_measured_where_a_recipe_asks_for_them(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, train={"epochs": 1, "batch_size": 1000, "updates_per_epoch": 2})
    assert len(measure(recipe, ["no_aug"], rounds=2, steps=1).costs[0].seconds) == 2


def test_a_method_without_its_augmentation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="method upstream needs an augmentation"):
        measure(make_recipe(tmp_path, augmenter=None), ["upstream"], rounds=1, steps=1)
