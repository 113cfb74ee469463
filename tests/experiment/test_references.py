"""References from a recipe to a report, as any other method."""

from pathlib import Path
from typing import Any

import pytest
import torch

from saflex_cli.config.schema import Recipe
from saflex_cli.errors import RecipeError
from saflex_cli.experiment import Places, check, run, run_one
from saflex_cli.experiment.benchmark import measure
from saflex_cli.store.files import curve_path, report_path
from tests.recipes import make_recipe

METHODS: list[dict[str, Any]] = [
    {"name": "no_aug"},
    {"name": "logistic_regression"},
    {"name": "gradient_boosting", "iterations": 4},
    {"name": "gradient_boosting", "iterations": 4, "train_on": ["train", "val"]},
]


def recipe_in(folder: Path, **changes: Any) -> Recipe:
    rows = "".join(f"{x % 7},{'' if x % 5 == 0 else x},{'abc'[x % 3]},{x % 3 // 2}\n" for x in range(200))
    (folder / "table.csv").write_text("one,two,kind,class\n" + rows)
    settings = {
        "name": "tests/table",
        "data": {"name": "csv", "path": str(folder / "table.csv"), "target": "class"},
        "model": {"name": "mlp", "hidden": [4]},
        "augmenter": None,
        "methods": METHODS,
        "seeds": [0],
        "train": {"epochs": 2, "batch_size": 32},
    }
    return make_recipe(folder, **(settings | changes))


def test_reports_are_written_once_and_repeatable(tmp_path: Path) -> None:
    recipe, places = recipe_in(tmp_path), Places(tmp_path / "results", tmp_path / "runs")
    reports = run(recipe, methods=[m["name"] for m in METHODS[1:3]] + ["gradient_boosting_trainval"], places=places)
    logistic, boosting, on_both = reports
    assert logistic.last.epoch == 1
    assert logistic.selected is not None
    assert logistic.selected.test == logistic.last.test
    assert logistic.last.test.auroc == 1.0, "the class is one level of a categorical column"
    assert logistic.parameters == 2 + 1 + 3 + 1
    assert boosting.last.epoch == 4
    assert (on_both.selected, on_both.last.val, on_both.data.val) == (None, None, 0)
    assert on_both.data.train == boosting.data.train + boosting.data.val
    assert {report.saflex for report in reports} == {None}
    assert logistic.environment.scikit_learn
    assert not (tmp_path / "runs").exists()
    path = report_path(places.results, recipe.name, "gradient_boosting", 0)
    assert len(curve_path(places.results, recipe.name, "gradient_boosting", 0).read_text().splitlines()) == 1 + 4
    written = path.read_bytes()
    assert len(written) < 4096
    assert run_one(recipe, "gradient_boosting", 0, places=places) == boosting
    assert path.read_bytes() == written
    again = run_one(recipe, "gradient_boosting", 0, places=places, force=True)
    assert again.model_dump(exclude={"timing"}) == boosting.model_dump(exclude={"timing"})


def test_the_number_of_threads_is_kept(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    [report] = run(recipe_in(tmp_path), methods=["gradient_boosting"])
    assert report.environment.threads == before == torch.get_num_threads()


def test_images_are_refused_before_the_first_run(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, methods=METHODS)
    with pytest.raises(RecipeError, match="recipe tests/digits: method logistic_regression takes rows of a table"):
        check(recipe, ["no_aug", "logistic_regression"], Places())


def test_there_are_no_steps_to_time(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="method gradient_boosting is fitted as a whole"):
        measure(recipe_in(tmp_path), ["no_aug", "gradient_boosting"], rounds=1, steps=1)
