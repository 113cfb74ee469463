"""SAFLEX itself is measured in turns, and what cannot be is named."""

from pathlib import Path

import pytest
import torch

from saflex_cli.errors import RecipeError
from saflex_cli.experiment.costs import turns
from saflex_cli.experiment.costs.overhead import CYCLE, measure_overhead
from saflex_cli.experiment.costs.turns import in_turns
from saflex_cli.experiment.costs.variants import DOUBLE
from saflex_cli.store.performance.files import read_record, write_record
from saflex_cli.store.performance.overhead import PLAIN, Overhead, overhead_path
from tests.recipes import make_recipe

MLP = {"name": "mlp", "hidden": [4]}


def test_every_variant_has_its_turn_in_every_round(tmp_path: Path) -> None:
    said: list[str] = []
    recipe = make_recipe(tmp_path, model=MLP)
    measured = measure_overhead(recipe, rounds=2, steps=CYCLE, tell=said.append)
    assert said == ["round 1 of 2", "round 2 of 2"]
    names = [one.name for one in measured.variants]
    assert names[0] == "upstream"
    assert {"all_b_k4", "head_b4_k1", "no_aug", DOUBLE, PLAIN} <= set(names)
    assert all(len(one.seconds) == 2 and min(one.seconds) > 0 for one in measured.variants)
    assert measured.ratios("upstream") == [1.0, 1.0]
    assert (measured.memory_of, measured.memory_ratio("head_b_k1"), measured.grown("head_b_k1")) == (None, None, None)
    assert measured.ratios("gone") == []
    path = write_record(overhead_path(tmp_path / "results", measured.recipe), measured)
    assert path == tmp_path / "results" / "bench" / "overhead" / "tests" / "digits.json"
    assert read_record(path, Overhead) == measured
    assert str(tmp_path) not in path.read_text()


def test_a_batch_that_does_not_fit_is_left_out_by_name(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, model=MLP, train={"epochs": 1, "batch_size": 64, "precision": "bfloat16"})
    measured = measure_overhead(recipe, rounds=1, steps=CYCLE)
    assert measured.left_out[DOUBLE] == "100 training samples make no batch of 128"
    assert measured.left_out[PLAIN] == "the plain loop computes in float32, not bfloat16"
    assert measured.find(DOUBLE) is None


def test_what_cannot_be_measured_at_all(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"^100 training samples make no batch of 500$"):
        measure_overhead(make_recipe(tmp_path, train={"epochs": 1, "batch_size": 500}), rounds=1, steps=CYCLE)
    with pytest.raises(RecipeError, match="steps must be a multiple of 4, not 6"):
        measure_overhead(make_recipe(tmp_path), rounds=1, steps=6)


def test_rounds_start_with_another_turn_and_seconds_are_per_step(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def timed(turn: turns.Turn, steps: int, _: torch.device) -> float:
        turn(steps)
        return 0.5 * steps

    monkeypatch.setattr(turns, "timed", timed)
    made: dict[str, turns.Turn] = {"a": lambda _: order.append("a"), "b": lambda _: order.append("b")}
    seconds = in_turns(made, rounds=3, steps=4, device=torch.device("cpu"))
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert seconds == {"a": (0.5, 0.5, 0.5), "b": (0.5, 0.5, 0.5)}
