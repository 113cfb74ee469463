"""The default preset is the one that the study `where` says its rule chose."""

import re
from pathlib import Path

from saflex_cli.config.load import load_recipe
from saflex_cli.config.schema import SaflexMethod
from saflex_cli.config.study import load_study
from saflex_cli.core import Saflex
from saflex_cli.settings import DEFAULT, PRESETS
from tests.recipes import write_recipe

ROOT = Path(__file__).parents[1]


def test_it_is_the_chosen_one() -> None:
    study = load_study(ROOT / "recipes" / "study" / "where.yaml")
    text = " ".join((ROOT / "results" / "studies" / "where.md").read_text().split())
    found = re.search(r"Chosen: (.+?)(?:;|\.) ", text)
    assert found is not None
    [label] = [label for label, title in study.titles.items() if title == found[1]]
    [method] = [method for method in study.cells[0].recipe.methods if method.label == label]
    assert isinstance(method, SaflexMethod)
    assert not method.clean_batch
    assert method.resolved_settings() == PRESETS[DEFAULT]


def test_it_is_what_is_used_where_no_preset_is_named(tmp_path: Path) -> None:
    assert Saflex().settings == PRESETS[DEFAULT]
    recipe = load_recipe(write_recipe(tmp_path, methods=[{"name": "saflex"}, {"name": "saflex", "clean_batch": True}]))
    assert [method.label for method in recipe.methods] == ["saflex_default", "saflex_default_clean"]
    for method in recipe.methods:
        assert isinstance(method, SaflexMethod)
        assert (method.preset, method.resolved_settings()) == (DEFAULT, PRESETS[DEFAULT])
