"""Probe files: what they expand to, and what is said where they are wrong."""

from pathlib import Path
from typing import Any

import pytest

from saflex_cli.config.probe import load_probe
from saflex_cli.config.probe_config import Decrease, Knowledge
from saflex_cli.errors import RecipeError
from tests.probes import CONTENT, DECREASE, write_probe

CASE = CONTENT["cases"][0]


def test_a_probe_expands_into_recipes(tmp_path: Path) -> None:
    probe = load_probe(write_probe(tmp_path))
    assert isinstance(probe.measure, Knowledge)
    [case] = probe.cases
    assert case.recipe.name == "probe/tiny/small-digits"
    assert case.recipe.train.batch_size == 20
    assert (probe.source, probe.title_of("upstream"), probe.title_of("other")) == (
        "recipes/study/tiny.yaml",
        "as it is",
        "other",
    )
    assert [run[1:] for run in probe.runs] == [
        (label, seed) for label in ("upstream", "saflex_proximal") for seed in (0, 1)
    ]


def test_without_methods_and_seeds_the_recipes_own_count(tmp_path: Path) -> None:
    methods = [{"name": "upstream"}]
    path = write_probe(tmp_path, **(DECREASE | {"methods": None, "seeds": None}), recipe={"methods": methods})
    probe = load_probe(path)
    assert isinstance(probe.measure, Decrease)
    assert [run[1:] for run in probe.runs] == [("upstream", 0), ("upstream", 1)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"probe": None}, "is no probe: it has no key probe"),
        (
            {"probe": {"measure": "taste", "epochs": [1]}},
            "probe.measure: unknown name, 'taste'; choose from 'knowledge'",
        ),
        (
            {"probe": {"measure": "knowledge", "epochs": [2, 1]}},
            "probe.epochs: should be in ascending order, each once",
        ),
        (
            {"probe": {"measure": "knowledge", "epochs": [1, 3]}},
            "cases[0]: trains 2 epochs, and probe.epochs asks for 3",
        ),
        ({"probe": DECREASE["probe"] | {"rates": [0.1, 0.1]}}, "probe.rates: should be in ascending order"),
        ({"probe": {"measure": "knowledge", "epochs": [1], "fold": 3}}, "probe.fold: unknown key"),
        ({"titles": {"nobody": "x"}}, "titles.nobody: no such method; there are: saflex_proximal, upstream"),
        ({"cases": [CASE, CASE]}, "cases[1].title: another case has this name"),
        ({"cases": [CASE | {"title": "…"}]}, "cases[0].title: needs a letter or digit"),
        ({"cases": [CASE | {"recipe": "none.yaml"}]}, "cases[0].recipe: there is no"),
        ({"cases": [CASE | {"set": ["name=a"]}]}, "cases[0].set[0]: the probe names its runs"),
        ({"cases": [CASE | {"set": ["train.epoch=1"]}]}, "cases[0].set[0]: train.epoch=1: train.epoch: unknown key"),
        ({"cases": [CASE | {"set": ["pool.wrong_labels=0"]}]}, "cases[0]: needs a pool with wrong and right labels"),
        ({"methods": [{"name": "logistic_regression"}], "titles": None}, "is fitted as a whole and has no epochs"),
        (DECREASE | {"methods": [{"name": "no_aug"}]}, "cases[0]: method no_aug has no augmented batch"),
    ],
)
def test_mistakes(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    path = write_probe(tmp_path, **changes)
    with pytest.raises(RecipeError) as error:
        load_probe(path)
    assert str(error.value).startswith(str(path))
    assert said in str(error.value)
