"""Every shipped recipe loads; its resolved form is in git, so that a changed default shows up in review.

Regenerate with `make golden`.
"""

import json
import os
from pathlib import Path

import pytest

from saflex_cli.cli.catalogue import is_probe, is_study
from saflex_cli.config.load import load_recipe
from saflex_cli.config.probe import load_probe
from saflex_cli.config.study import load_study

ROOT = Path(__file__).parents[2]
EVERY = sorted(path for path in (ROOT / "recipes").rglob("*.yaml") if path.parent.name != "tables")
STUDIES = [path for path in EVERY if is_study(path)]
PROBES = [path for path in EVERY if is_probe(path)]
BASES = [path for path in EVERY if path.parent.name == "study" and path.stem.startswith("base-")]
"""What studies start from; reviewed in the studies that expand them."""
RECIPES = [path for path in EVERY if path not in STUDIES + PROBES + BASES]
GOLDEN = ROOT / "tests" / "golden" / "recipes"


def golden_path(recipe: Path) -> Path:
    return GOLDEN / recipe.relative_to(ROOT / "recipes").with_suffix(".json")


def test_all_recipes_are_found() -> None:
    assert len(RECIPES) == 70
    assert sorted(GOLDEN.rglob("*.json")) == [golden_path(path) for path in RECIPES]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_resolved_recipe_is_as_reviewed(path: Path) -> None:
    resolved = json.dumps(load_recipe(path).model_dump(mode="json"), indent=1) + "\n"
    if os.environ.get("SAFLEX_UPDATE_GOLDEN"):
        golden_path(path).parent.mkdir(parents=True, exist_ok=True)
        golden_path(path).write_text(resolved)
    assert golden_path(path).read_text() == resolved


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_name_is_the_path_and_the_header_says_how_to_run_it(path: Path) -> None:
    relative = path.relative_to(ROOT / "recipes").with_suffix("")
    assert load_recipe(path).name == relative.as_posix()
    header = path.read_text().split("name:")[0]
    assert f"saflex train recipes/{relative}.yaml" in header
    assert f"({relative}.yaml)" in (ROOT / "recipes" / "README.md").read_text()


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_expands_is_named_as_its_file_and_says_how_to_run_it(path: Path) -> None:
    study = load_study(path)
    assert study.name == path.stem
    assert study.source == f"recipes/study/{path.name}"
    assert f"saflex study recipes/study/{path.name}" in path.read_text().split("name:")[0]


@pytest.mark.parametrize("path", PROBES, ids=lambda path: path.stem)
def test_a_probe_is_named_as_its_file_and_says_how_to_run_it(path: Path) -> None:
    assert load_probe(path).name == path.stem
    assert f"saflex probe recipes/study/{path.name}" in path.read_text().split("name:")[0]


def test_base_recipes_are_named_as_their_files_and_used_by_a_study() -> None:
    used = "\n".join(path.read_text() for path in STUDIES)
    for path in BASES:
        assert load_recipe(path).name == f"study/{path.stem}"
        assert f"recipe: {path.name}" in used
