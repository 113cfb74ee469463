"""One program for all seeds writes the reports that the runs would have written one by one."""

from pathlib import Path
from typing import Any

import pytest

from saflex_cli.config.schema import Recipe
from saflex_cli.errors import RecipeError, TrainingError
from saflex_cli.experiment import checkpoint_path, evaluate_checkpoint, run_one, run_together
from saflex_cli.experiment.places import Progress, together_path
from saflex_cli.experiment.together_benchmark import measure_together
from saflex_cli.store.bench import CellCost, read_together_benchmark, together_bench_path, write_benchmark
from saflex_cli.store.files import curve_path, report_path
from saflex_cli.store.report import Report
from tests.experiment.test_run import lasting, places_in
from tests.recipes import CONTENT, make_recipe

MLP = {"name": "mlp", "hidden": [16, 8], "dropout": 0.1}
ADAM = {"name": "saflex", "preset": "paper", "precondition": True, "label": "adam"}
METHODS = [*CONTENT["methods"], {"name": "lp_a3"}, ADAM]


def recipe_in(folder: Path, **changes: Any) -> Recipe:
    settings: dict[str, Any] = {"model": MLP, "methods": METHODS, "train": {"epochs": 2, "batch_size": 50}}
    return make_recipe(folder, **(settings | changes))


def report_of(ended: Report | TrainingError) -> Report:
    assert isinstance(ended, Report)
    return ended


def rounded(content: Any) -> Any:
    """Numbers as they can be compared, wherever they are."""
    if isinstance(content, dict):
        return {name: rounded(value) for name, value in content.items()}
    return pytest.approx(content, rel=1e-4) if isinstance(content, float) else content


@pytest.mark.parametrize("label", ["no_aug", "upstream_trainval", "saflex_proximal"])
def test_reports_curves_and_checkpoints(tmp_path: Path, label: str) -> None:
    recipe, alone, places = recipe_in(tmp_path), places_in(tmp_path / "alone"), places_in(tmp_path / "together")
    heard: list[tuple[int, int]] = []

    def hear(progress: Progress) -> None:
        heard.append((progress.seed, progress.epoch))

    ended = run_together(recipe, label, [0, 1], places=places, on_progress=hear)
    assert heard == [(0, 1), (1, 1), (0, 2), (1, 2)]
    for seed, found in zip((0, 1), map(report_of, ended), strict=True):
        expected = run_one(recipe, label, seed, places=alone)
        assert lasting(found) == rounded(lasting(expected))
        assert Report.model_validate_json(report_path(places.results, recipe.name, label, seed).read_bytes()) == found
        curves = [curve_path(own.results, recipe.name, label, seed).read_text() for own in (alone, places)]
        assert curves[0].count("\n") == curves[1].count("\n") == 3
        last = checkpoint_path(places, recipe.name, label, seed, "last")
        assert evaluate_checkpoint(last).metrics == found.last.test
        if found.selected:
            chosen = checkpoint_path(places, recipe.name, label, seed, "selected")
            assert evaluate_checkpoint(chosen).metrics == found.selected.test
        assert found.timing.seeds_together == 2
        assert expected.timing.seeds_together is None
    assert not together_path(places, recipe.name, label).exists()


def test_seeds_with_a_report_are_left_out(tmp_path: Path) -> None:
    recipe, places = recipe_in(tmp_path), places_in(tmp_path)
    first = run_one(recipe, "no_aug", 1, places=places)
    heard: set[int] = set()
    ended = run_together(recipe, "no_aug", [0, 1, 2], places=places, on_progress=lambda news: heard.add(news.seed))
    assert heard == {0, 2}
    assert ended[1] == first
    assert [report_of(one).seed for one in ended] == [0, 1, 2]
    again = run_together(recipe, "no_aug", [0, 1, 2], places=places, on_progress=lambda _: pytest.fail("trained"))
    assert again == ended
    forced = run_together(recipe, "no_aug", [1], places=places, force=True)
    assert lasting(report_of(forced[0])) == rounded(lasting(first))


def test_a_stopped_program_goes_on_to_the_same_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saflex_cli.train.together.loop.SAVE_EVERY", 0.0)
    recipe, places = recipe_in(tmp_path), places_in(tmp_path / "stopped")

    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_together(recipe, "saflex_paper", [0, 1], places=places, on_progress=stop)
    epochs: list[int] = []
    resumed = run_together(recipe, "saflex_paper", [0, 1], places=places, on_progress=lambda p: epochs.append(p.epoch))
    assert epochs == [2, 2]
    whole = run_together(recipe, "saflex_paper", [0, 1], places=places_in(tmp_path / "whole"))
    assert [lasting(report_of(one)) for one in resumed] == [lasting(report_of(one)) for one in whole]


def test_force_starts_from_the_beginning(tmp_path: Path) -> None:
    recipe, places = recipe_in(tmp_path), places_in(tmp_path)
    checkpoint = together_path(places, recipe.name, "no_aug")
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"not a checkpoint")
    [ended] = run_together(recipe, "no_aug", [0], places=places, force=True)
    assert report_of(ended).last.epoch == 2


def test_a_loss_that_is_not_finite_is_the_outcome_of_its_seed(tmp_path: Path) -> None:
    recipe = recipe_in(tmp_path, optimizer={"name": "sgd", "lr": 1e30})
    ended = run_together(recipe, "upstream", [0, 1], places=places_in(tmp_path))
    assert [type(one) for one in ended] == [TrainingError, TrainingError]
    assert not list(tmp_path.rglob("seed-*.json"))


CLEAN_PASS = {"name": "saflex", "preset": "proximal", "outer": "clean_pass", "clean_batch": True}


@pytest.mark.parametrize(
    ("changes", "label", "said"),
    [
        ({"model": {"name": "small_cnn"}}, "no_aug", "the model is small_cnn, and only mlp can"),
        ({"model": MLP | {"batch_norm": True}}, "no_aug", "the model has batch_norm"),
        ({"train": {"epochs": 1, "batch_size": 50, "precision": "bfloat16"}}, "no_aug", "train.precision is bfloat16"),
        ({}, "lp_a3", "the method is lp_a3"),
        ({}, "adam", "precondition is set"),
        ({"methods": [CLEAN_PASS]}, "saflex_proximal_clean", "outer is clean_pass"),
    ],
)
def test_what_cannot_be_trained_together(tmp_path: Path, changes: dict[str, Any], label: str, said: str) -> None:
    recipe = recipe_in(tmp_path, **changes)
    message = f"^tests/digits: the seeds of {label} cannot be trained together: {said}; train them one by one$"
    with pytest.raises(RecipeError, match=message):
        run_together(recipe, label, [0], places=places_in(tmp_path))


def test_a_method_without_its_augmentation_is_refused(tmp_path: Path) -> None:
    recipe = recipe_in(tmp_path, augmenter=None)
    with pytest.raises(RecipeError, match="method upstream needs an augmentation"):
        run_together(recipe, "upstream", [0], places=places_in(tmp_path))


@pytest.mark.slow
def test_the_benchmark_makes_both_and_compares_them(tmp_path: Path) -> None:
    recipe = recipe_in(tmp_path)
    turns: list[tuple[str, int]] = []
    measured = measure_together(
        recipe, ["no_aug", "upstream"], seeds=2, rounds=2, on_turn=lambda *turn: turns.append(turn)
    )
    assert turns == [("no_aug", 1), ("upstream", 1), ("no_aug", 2), ("upstream", 2)]
    for cell in measured.cells:
        assert len(cell.one_by_one) == len(cell.together) == 2
        assert min(*cell.one_by_one, *cell.together) > 0
        assert cell.difference < 1e-3
    path = write_benchmark(tmp_path / "results", measured)
    assert path == together_bench_path(tmp_path / "results", "tests/digits")
    assert path.name == "digits-together.json"
    assert read_together_benchmark(path) == measured
    with pytest.raises(RecipeError, match="train them one by one"):
        measure_together(recipe, ["no_aug", "lp_a3"], seeds=2, rounds=1)


def test_ratios_of_seeds_together_are_taken_round_by_round() -> None:
    cell = CellCost(method="a", config_hash="0", one_by_one=(6.0, 8.0, 12.0), together=(2.0, 2.0, 2.0), difference=0.0)
    assert cell.summary() == (4.0, 3.0, 6.0)
