"""A report is stale when, and only when, something that affects its run has changed."""

from pathlib import Path
from typing import Any

import pytest

from saflex_cli.config.identity import config_hash, differences, find_method, run_config
from saflex_cli.errors import RecipeError
from tests.recipes import CONTENT, make_recipe


def changes(tmp_path: Path, label: str, **changed: Any) -> list[str]:
    """What differs for one method between the recipe and a changed one."""
    before = make_recipe(tmp_path)
    after = make_recipe(tmp_path, **changed)
    return differences(run_config(before, find_method(before, label)), after, find_method(after, label))


def test_unchanged(tmp_path: Path) -> None:
    assert changes(tmp_path, "upstream") == []


def test_seeds_and_other_methods_do_not_count(tmp_path: Path) -> None:
    methods = [*CONTENT["methods"], {"name": "saflex", "preset": "lp"}]
    assert changes(tmp_path, "upstream", seeds=[5], methods=methods) == []


def test_settings_that_are_all_at_their_defaults(tmp_path: Path) -> None:
    """A preset overridden into the defaults of every field states none of them."""
    plain = {"name": "saflex", "preset": "paper", "temperature": 1.0, "gumbel_scale": 0.0}
    recipe = make_recipe(tmp_path, methods=[plain])
    method = find_method(recipe, "saflex_paper")
    assert differences(run_config(recipe, method), recipe, method) == []


def test_a_changed_value_is_named(tmp_path: Path) -> None:
    changed = changes(tmp_path, "upstream", optimizer={"name": "adam", "lr": 0.02})
    assert changed == ["optimizer.lr: 0.01 → 0.02"]


def test_the_augmenter_does_not_count_for_no_aug(tmp_path: Path) -> None:
    assert changes(tmp_path, "no_aug", augmenter={"name": "rotation", "degrees": 1}) == []
    assert changes(tmp_path, "upstream", augmenter={"name": "rotation", "degrees": 1}) != []


def test_nor_for_a_peer_without_an_upstream(tmp_path: Path) -> None:
    plain = make_recipe(tmp_path, methods=[{"name": "lp_a3"}])
    other = make_recipe(tmp_path, methods=[{"name": "lp_a3"}], augmenter=None)
    [method] = plain.methods
    assert run_config(plain, method) == run_config(other, method)
    assert run_config(plain, method)["augmenter"] == []


def test_batch_norm_counts_where_it_is_estimated_anew(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, methods=[{"name": "upstream", "reestimate_batch_norm": True}, {"name": "upstream"}])
    anew, plain = recipe.methods
    assert (anew.label, plain.label) == ("upstream_bn", "upstream")
    old = run_config(recipe, plain)
    del old["method"]["reestimate_batch_norm"]  # a report of an earlier version
    assert differences(old, recipe, plain) == []
    assert differences(old, recipe, anew) == ["method.reestimate_batch_norm: (absent) → True"]


def test_a_setting_counts_for_its_method_alone(tmp_path: Path) -> None:
    methods = [
        *CONTENT["methods"][:-1],
        {"name": "saflex", "preset": "proximal", "label_retention": 1.0},
    ]
    assert changes(tmp_path, "saflex_proximal", methods=methods) == ["method.settings.label_retention: 2.0 → 1.0"]
    assert changes(tmp_path, "saflex_paper", methods=methods) == []


def test_a_field_added_later_counts_only_away_from_its_default(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path)
    method = find_method(recipe, "upstream")
    old = run_config(recipe, method)
    del old["model"]["dropout"]  # stated in the recipe
    assert differences(old, recipe, method) == ["model.dropout: (absent) → 0.1"]
    old = run_config(recipe, method)
    del old["optimizer"]["gamma"]  # at its default
    assert differences(old, recipe, method) == []
    old["optimizer"]["warmup"] = 5  # a field that is gone
    assert differences(old, recipe, method) == ["optimizer.warmup: 5 → (absent)"]


def test_hash_follows_the_configuration(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path)
    upstream, paper = (run_config(recipe, find_method(recipe, name)) for name in ("upstream", "saflex_paper"))
    assert config_hash(upstream) == config_hash(dict(reversed(upstream.items())))
    assert config_hash(upstream) != config_hash(paper)


def test_an_unknown_method_is_told_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no_aug, upstream, upstream_trainval"):
        find_method(make_recipe(tmp_path), "mixup")
