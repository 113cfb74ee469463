"""References as a recipe names them, and what is part of their identity."""

import inspect
from pathlib import Path
from typing import Any

import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from saflex_cli.config.identity import differences, find_method, run_config
from saflex_cli.errors import RecipeError
from tests.recipes import make_recipe

METHODS: list[dict[str, Any]] = [
    {"name": "logistic_regression"},
    {"name": "gradient_boosting"},
    {"name": "gradient_boosting", "train_on": ["train", "val"], "iterations": 5},
    {"name": "no_aug"},
]


def default(estimator: type, name: str) -> Any:
    return inspect.signature(estimator).parameters[name].default


def test_defaults_are_those_of_scikit_learn(tmp_path: Path) -> None:
    logistic, boosting, on_both, _ = make_recipe(tmp_path, methods=METHODS).methods
    assert logistic.model_dump()["c"] == default(LogisticRegression, "C")
    assert boosting.model_dump()["iterations"] == default(HistGradientBoostingClassifier, "max_iter")
    assert boosting.model_dump()["learning_rate"] == default(HistGradientBoostingClassifier, "learning_rate")
    assert on_both.label == "gradient_boosting_trainval"


@pytest.mark.parametrize("extra", [{"augmenter": {"name": "crop"}}, {"clean_batch": True}, {"c": 0.0}])
def test_what_a_reference_has_no_use_for_is_refused(tmp_path: Path, extra: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=r"methods\[0\]"):
        make_recipe(tmp_path, methods=[{"name": "logistic_regression"} | extra])


def test_the_network_and_its_training_are_no_part_of_their_identity(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, methods=METHODS)
    other = make_recipe(
        tmp_path,
        methods=METHODS,
        model={"name": "mlp"},
        train={"epochs": 7, "batch_size": 8},
        optimizer={"name": "adamw"},
        augmenter=None,
    )
    for label in ("logistic_regression", "gradient_boosting"):
        config = run_config(recipe, find_method(recipe, label))
        assert set(config) == {"protocol", "data", "selection", "augmenter", "method"}
        assert differences(config, other, find_method(other, label)) == []
    own = run_config(recipe, find_method(recipe, "no_aug"))
    assert differences(own, other, find_method(other, "no_aug"))


def test_data_selection_and_own_settings_are(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, methods=METHODS)
    config = run_config(recipe, find_method(recipe, "gradient_boosting"))
    changed = make_recipe(
        tmp_path, methods=[{"name": "gradient_boosting", "iterations": 3}], selection={"metric": "loss"}
    )
    found = differences(config, changed, find_method(changed, "gradient_boosting"))
    assert [change.split(":")[0] for change in found] == ["selection.metric", "method.iterations"]
