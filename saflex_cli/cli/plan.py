"""What a command line selects: recipes, methods and seeds, where their results land, and which runs are done."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

from saflex_cli.cli.catalogue import did_you_mean, find_recipe, find_table_or_recipe
from saflex_cli.config.document import read_document
from saflex_cli.config.load import load_recipe
from saflex_cli.config.schema import MethodConfig, Recipe
from saflex_cli.errors import RecipeError, ResultsError
from saflex_cli.store.files import find_report
from saflex_cli.store.report import Report
from saflex_cli.store.table import load_table

State = Literal["done", "stale", "to do"]
STATES: tuple[State, ...] = ("done", "stale", "to do")


@dataclass(frozen=True)
class PlannedRun:
    """One run of a recipe, and whether its report exists."""

    recipe: Recipe
    method: MethodConfig
    seed: int
    report: Report | None
    stale: ResultsError | None
    """Why the report that exists cannot be used."""

    @property
    def state(self) -> State:
        """`stale`: there is a report, but of another configuration."""
        if self.stale is not None:
            return "stale"
        return "to do" if self.report is None else "done"


def load_recipes(given: Sequence[str], overrides: Sequence[str] = ()) -> list[Recipe]:
    """The recipes with these paths or names.

    Raises:
        RecipeError: if one cannot be used, or two have the same name and would write the same reports.
    """
    paths: dict[str, Path] = {}
    recipes = []
    for text in given:
        path = find_recipe(text)
        recipe = load_recipe(path, overrides)
        if recipe.name in paths:
            raise RecipeError(
                f"{path}: name: {recipe.name} is also the name of {paths[recipe.name]}; "
                "give each recipe once, with a name of its own"
            )
        paths[recipe.name] = path
        recipes.append(recipe)
    return recipes


def load_selection(given: Sequence[str], overrides: Sequence[str] = ()) -> list[Recipe]:
    """Recipes by path or name; a table stands for its recipes with the methods of its rows.

    Raises:
        RecipeError: as for `load_recipes`, or if a table is to be changed by `--set`.
    """
    tables = [text for text in given if _is_table(find_table_or_recipe(text))]
    recipes = load_recipes([text for text in given if text not in tables], overrides)
    if tables and overrides:
        raise RecipeError(f"{tables[0]}: --set changes recipes, not tables; name the recipe instead")
    found = {recipe.name: recipe for recipe in recipes}
    wanted = {recipe.name: {method.label for method in recipe.methods} for recipe in recipes}
    for text in tables:
        table = load_table(find_table_or_recipe(text))
        for column, row in product(table.columns, table.rows):
            if study := column.source(row).study_command(""):
                raise RecipeError(f"{text}: {column.title} is a cell of a study; make its runs with `{study}`")
            recipe = column.source(row).recipe
            found.setdefault(recipe.name, recipe)
            wanted.setdefault(recipe.name, set()).add(row.method)
    return [
        recipe.model_copy(update={"methods": tuple(m for m in recipe.methods if m.label in wanted[name])})
        for name, recipe in found.items()
    ]


def _is_table(path: Path) -> bool:
    return "columns" in read_document(path).content


def select_methods(recipe: Recipe, wanted: Sequence[str]) -> list[MethodConfig]:
    """The methods with these labels; a word that is no label selects every method of that name. None given: all.

    Raises:
        RecipeError: if a word selects nothing.
    """
    chosen: set[str] = set()
    for word in wanted:
        labels = {method.label for method in recipe.methods if method.label == word}
        labels = labels or {method.label for method in recipe.methods if method.name == word}
        if not labels:
            known = dict.fromkeys(word for method in recipe.methods for word in (method.label, method.name))
            raise RecipeError(f"{recipe.name} has no method {word!r}; {did_you_mean(word, known)}")
        chosen |= labels
    return [method for method in recipe.methods if not wanted or method.label in chosen]


def plan_runs(
    recipes: Sequence[Recipe], *, methods: Sequence[str] = (), seeds: Sequence[int] = (), results: Path
) -> list[PlannedRun]:
    """Every selected run, recipe by recipe, method by method."""
    return [
        _plan_run(recipe, method, seed, results)
        for recipe in recipes
        for method in select_methods(recipe, methods)
        for seed in dict.fromkeys(seeds or recipe.seeds_of(method))
    ]


def _plan_run(recipe: Recipe, method: MethodConfig, seed: int, results: Path) -> PlannedRun:
    try:
        return PlannedRun(recipe, method, seed, find_report(results, recipe, method, seed), None)
    except ResultsError as error:
        return PlannedRun(recipe, method, seed, None, error)


def landing(out: Path | None, overrides: Sequence[str]) -> tuple[Path, Path]:
    """The folders for results and for runs (checkpoints and logs).

    Overridden runs are another experiment: without `--out` they get a folder of their own, and they never land among
    the project's results.

    Raises:
        ResultsError: if overridden runs would land in ./results.
    """
    if overrides and out is None:
        digest = hashlib.sha256("\n".join(sorted(overrides)).encode()).hexdigest()
        out = Path("runs") / f"set-{digest[:8]}"
    if out is None:
        return Path("results"), Path("runs")
    if overrides and any(_is_project_results(folder) for folder in (out.resolve(), *out.resolve().parents)):
        raise ResultsError(
            f"--out {out}: runs changed by --set cannot land in results/; choose another folder, or leave out --out"
        )
    return out, out / "runs"


def _is_project_results(folder: Path) -> bool:
    """The `results` of this folder, or of any project: one that lies beside its recipes."""
    return folder == Path("results").resolve() or (folder.name == "results" and (folder.parent / "recipes").is_dir())
