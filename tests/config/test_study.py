"""Study files: what they expand to, and what is said about mistakes in them."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from saflex_cli.config.study import load_study, slug
from saflex_cli.errors import RecipeError
from tests.studies import CONTENT, write_study


def curves(*cells: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    return [CONTENT["curves"][0] | ({"cells": list(cells)} if cells else {}) | changes]


def test_cells_are_recipes_with_names_methods_seeds_and_changes_of_their_own(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    first, second = study.cells
    assert [cell.recipe.name for cell in study.cells] == ["study/tiny/small-digits/0", "study/tiny/small-digits/0_4"]
    assert (first.name, first.text, second.text) == ("small-digits/0", "0", "0.4")
    assert [cell.recipe.augmenter[1].share for cell in study.cells] == [0, 0.4]  # type: ignore[index,union-attr]
    assert first.recipe.seeds == (0, 1)
    assert study.methods == ("no_aug", "upstream", "saflex_proximal")
    assert study.challengers == ("upstream", "saflex_proximal")
    assert study.runs == 12
    assert (study.title_of("no_aug"), study.title_of("upstream")) == ("no augmentation", "upstream")
    assert (study.epoch, study.curves[0].metric) == ("last", "accuracy")
    assert study.source == "recipes/study/tiny.yaml"


def test_without_methods_and_seeds_the_recipes_own_count(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path, methods=None, seeds=None, recipe={"seeds": [3]}))
    assert study.methods == ("no_aug", "upstream", "upstream_trainval", "saflex_paper", "saflex_proximal")
    assert study.runs == 10


def test_overrides_reach_the_studys_own_methods_and_the_metric(tmp_path: Path) -> None:
    changed = ["methods[2].temperature=0.5", "selection.metric=auroc"]
    study = load_study(write_study(tmp_path, curves=curves({"at": "Übung, 1", "set": changed})))
    [cell] = study.cells
    assert cell.recipe.methods[2].settings.temperature == 0.5  # type: ignore[union-attr]
    assert (cell.name, cell.text, cell.changes) == ("small-digits/ubung-1", "Übung, 1", tuple(changed))
    assert study.curves[0].metric == "auroc"


def test_what_the_figure_shows(tmp_path: Path) -> None:
    """All methods; with a focus, it and the opponents; or what is named, in the methods' order."""
    shown = [
        load_study(write_study(tmp_path, **keys)).in_figure
        for keys in ({}, {"focus": ["upstream"]}, {"drawn": ["saflex_proximal", "upstream"]})
    ]
    assert shown == [
        ("no_aug", "upstream", "saflex_proximal"),
        ("no_aug", "upstream"),
        ("upstream", "saflex_proximal"),
    ]


def test_a_curve_has_an_axis_and_methods_of_its_own(tmp_path: Path) -> None:
    own = {"axis": "wrong labels (%)", "methods": [{"name": "upstream", "reestimate_batch_norm": True}]}
    more = CONTENT["curves"][0] | {"title": "Other digits"}
    study = load_study(write_study(tmp_path, curves=[*curves(**own), more], opponents=["no_aug", "upstream_bn"]))
    first, second = study.curves
    assert (first.axis, second.axis) == ("wrong labels (%)", "share of wrong labels")
    labels = [[method.label for method in curve.cells[0].recipe.methods] for curve in study.curves]
    assert labels == [
        ["no_aug", "upstream", "saflex_proximal", "upstream_bn"],
        ["no_aug", "upstream", "saflex_proximal"],
    ]


@pytest.mark.parametrize(
    ("at", "name"), [(-0.5, "minus-0_5"), (1e-6, "1e-06"), (1e20, "1e20"), (2.0, "2"), ("A/B  c", "a-b-c")]
)
def test_the_name_of_a_place(tmp_path: Path, at: float | str, name: str) -> None:
    study = load_study(write_study(tmp_path, curves=curves({"at": at})))
    assert study.cells[0].name == f"small-digits/{name}"


def test_a_slug() -> None:
    assert slug("  Digits (8 × 8), RandAugment! ") == "digits-8-8-randaugment"
    assert slug("…") == ""


CELL = {"at": 1}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"titel": "x"}, "titel: unknown key"),
        ({"opponents": ["no_augg"]}, "opponents[0]: no_augg: no such method; there are: no_aug, upstream"),
        ({"focus": ["proximal"]}, "focus[0]: proximal: no such method; there are: no_aug, upstream"),
        ({"drawn": ["no_augg"]}, "drawn[0]: no_augg: no such method; there are: no_aug, upstream"),
        ({"focus": ["no_aug"]}, "focus[0]: no_aug is an opponent; leave it out here or there"),
        (
            {"methods": None, "opponents": ["no_aug"], "curves": curves(methods=[{"name": "no_aug", "label": "b"}])},
            "curves[0].methods: come beside those of the study, which has none",
        ),
        ({"opponents": ["no_aug", "no_aug"]}, "opponents[1]: no_aug is listed twice"),
        ({"opponents": ["no_aug", "upstream", "saflex_proximal"]}, "opponents: every method is an opponent"),
        ({"titles": {"upsteam": "x"}}, "titles.upsteam: no such method"),
        ({"methods": [{"name": "upstraem"}]}, "methods[0].name: unknown name, 'upstraem'"),
        ({"curves": curves(recipe="none.yaml")}, "curves[0].recipe: there is no"),
        ({"curves": curves(title="…")}, "curves[0].title: needs a letter or digit"),
        ({"curves": curves({"at": "…"})}, "curves[0].cells[0].at: needs a letter or digit"),
        ({"curves": curves({"at": True})}, "curves[0].cells[0].at: should be a number, or one line"),
        ({"curves": curves(CELL, {"at": "1"})}, "curves[0].cells[1].at: is '1', not a number as elsewhere"),
        ({"curves": curves(CELL, {"at": 1.0})}, "small-digits/1 is also the name of curves[0].cells[0].at"),
        (
            {"curves": curves(CELL, {"at": 2, "set": ["train.epochs=2", "augmenter[1].share=2"]})},
            "curves[0].cells[1].set[1]: augmenter[1].share=2: augmenter[1].share: should be less than",
        ),
        (
            {"curves": curves(CELL | {"set": ["train.epoch=2"]})},
            "cells[0].set[0]: train.epoch=2: train.epoch: unknown key",
        ),
        ({"curves": curves(CELL | {"set": ["train.epochs"]})}, "cells[0].set[0]: train.epochs: write it as dotted"),
        ({"curves": curves(CELL | {"set": ["name=a"]})}, "cells[0].set[0]: the study names its runs"),
        ({"curves": curves(CELL, {"at": 2, "set": ["selection.metric=auroc"]})}, "curves[0]: its cells select by"),
        ({"recipe": {"modle": {}}}, "curves[0].cells[0]: "),
    ],
)
def test_a_mistake_is_named_with_its_place_in_the_study_file(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    path = write_study(tmp_path, **deepcopy(changes))
    with pytest.raises(RecipeError) as error:
        load_study(path)
    assert said in str(error.value)
    assert str(error.value).startswith(f"{path}:")


def test_a_recipe_is_no_study(tmp_path: Path) -> None:
    path = write_study(tmp_path).with_name("base-digits.yaml")
    with pytest.raises(RecipeError, match=r"is no study: it has no key curves; a recipe runs with `saflex train"):
        load_study(path)
