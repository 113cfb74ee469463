"""Variants are made from a recipe, whatever its methods are."""

from pathlib import Path

import pytest

from saflex_cli.config.components import SmallCnn
from saflex_cli.config.schema import SaflexMethod, Upstream
from saflex_cli.errors import RecipeError
from saflex_cli.experiment.costs import variants
from saflex_cli.experiment.costs.variants import DOUBLE, FREE, has_clean_pass, make_variants
from tests.recipes import make_recipe

GRID = {f"{scope}_b{share}_k{every}" for scope in ("head", "all") for share in ("", "4") for every in (1, 4)}


def test_all_variants_of_a_recipe(tmp_path: Path) -> None:
    made = make_variants(make_recipe(tmp_path, methods=[{"name": "no_aug"}]))
    assert next(iter(made.recipes)) == "upstream"
    assert set(made.recipes) - {FREE} == {"upstream", DOUBLE, "upstream_clean", "no_aug", *GRID}
    assert all([method.label for method in one.methods] == [name] for name, one in made.recipes.items())
    assert {name: one.train.batch_size for name, one in made.recipes.items() if one.train.batch_size != 32} == {
        DOUBLE: 64
    }
    clean = made.recipes["upstream_clean"].methods[0]
    assert isinstance(clean, Upstream)
    assert clean.clean_batch


def test_the_grid_says_what_its_names_say(tmp_path: Path) -> None:
    made = make_variants(make_recipe(tmp_path))
    for name in GRID:
        [method] = made.recipes[name].methods
        assert isinstance(method, SaflexMethod)
        settings = method.resolved_settings()
        scope, share, every = name.split("_")
        assert (settings.scope, method.preset, method.outer) == (scope, "proximal", "train")
        assert settings.outer_batch_size == (8 if share == "b4" else 32)
        assert settings.outer_every == int(every[1:])


def test_the_free_variant_is_taken_up_when_it_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_variants(make_recipe(tmp_path))
    assert (FREE in made.recipes) == has_clean_pass() == (FREE not in made.left_out)
    monkeypatch.setattr(variants, "FREE", "batch")  # a value that the schema has
    taken = make_variants(make_recipe(tmp_path)).recipes["batch"].methods[0]
    assert isinstance(taken, SaflexMethod)
    assert (taken.outer, taken.clean_batch) == ("batch", True)


def test_what_the_schema_refuses_is_left_out_by_name(tmp_path: Path) -> None:
    made = make_variants(
        make_recipe(tmp_path, train={"epochs": 1, "batch_size": 32, "compile": True}, methods=[{"name": "no_aug"}])
    )
    assert set(made.left_out) - {FREE} == {name for name in GRID if name.startswith("all")}
    assert "train.compile does not go with the method all_b_k1" in made.left_out["all_b_k1"]


def test_without_augmentation_there_is_nothing_to_measure(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, augmenter=None, methods=[{"name": "no_aug"}])
    assert isinstance(recipe.model, SmallCnn)
    with pytest.raises(RecipeError, match="tests/digits has no augmenter, and the costs of SAFLEX are measured on one"):
        make_variants(recipe)
