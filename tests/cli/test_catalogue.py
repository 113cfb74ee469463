"""Recipes by path and by name, and what is said and completed for a name that is not quite right."""

from pathlib import Path

import pytest

import saflex_cli
from saflex_cli.cli import catalogue
from saflex_cli.cli.catalogue import (
    complete_recipe,
    complete_recipe_or_checkpoint,
    complete_table_or_recipe,
    did_you_mean,
    find_recipe,
    find_table_or_recipe,
    recipes,
    roots,
    tables,
)
from saflex_cli.errors import RecipeError

pytestmark = pytest.mark.usefixtures("project")


def test_recipes_and_tables_are_kept_apart() -> None:
    assert recipes() == {"tests/digits": Path("recipes/tests/digits.yaml")}
    assert tables() == {"one": Path("recipes/tables/one.yaml")}


def test_by_name_and_by_path() -> None:
    expected = Path("recipes/tests/digits.yaml")
    assert find_recipe("tests/digits") == find_recipe("recipes/tests/digits.yaml") == expected
    assert find_table_or_recipe("one") == Path("recipes/tables/one.yaml")
    assert find_table_or_recipe("tests/digits") == expected


def test_names_are_looked_up_here_then_in_the_package_then_in_its_checkout() -> None:
    package = Path(saflex_cli.__file__).parent
    assert roots() == [Path("recipes"), package / "recipes", package.parent / "recipes"]


def test_the_packages_recipes_come_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = tmp_path / "packaged"
    for name in ("tests/digits", "medmnist/path"):
        (packaged / name).parent.mkdir(parents=True, exist_ok=True)
        (packaged / f"{name}.yaml").touch()
    monkeypatch.setattr(catalogue, "roots", lambda: [Path("recipes"), packaged])
    assert find_recipe("tests/digits") == Path("recipes/tests/digits.yaml")
    assert find_recipe("medmnist/path") == packaged / "medmnist/path.yaml"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("tests/digit", "no recipe 'tests/digit'; did you mean tests/digits?"),
        ("recipes/tests/digit.yaml", "no recipe 'recipes/tests/digit.yaml'; did you mean recipes/tests/digits.yaml?"),
        ("one", "no recipe 'one'; there are: tests/digits"),
        ("recipes", "recipes is a folder; give one recipe, such as tests/digits"),
    ],
)
def test_a_wrong_name_says_what_there_is(given: str, said: str) -> None:
    with pytest.raises(RecipeError) as error:
        find_recipe(given)
    assert str(error.value) == said


def test_no_recipes_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError, match=r"no recipe 'a', and no recipes here: run this where \./recipes is"):
        find_recipe("a")


def test_a_long_list_is_cut() -> None:
    names = [f"name{number}" for number in range(20)]
    assert did_you_mean("x", names) == "there are: " + ", ".join(names[:12]) + ", …"
    assert did_you_mean("x", []) == "there are none"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", ["tests/digits"]),
        ("te", ["tests/digits"]),
        ("rec", ["recipes/"]),
        ("./recipes/te", ["./recipes/tests/"]),
        ("recipes/tests/", ["recipes/tests/digits.yaml"]),
        ("nowhere/", []),
    ],
)
def test_completion_of_recipes(typed: str, offered: list[str]) -> None:
    assert complete_recipe(typed) == offered


def test_completion_of_tables_and_checkpoints() -> None:
    Path("a.safetensors").touch()
    assert complete_table_or_recipe("") == ["one", "tests/digits"]
    assert complete_recipe_or_checkpoint("a") == ["a.safetensors"]
