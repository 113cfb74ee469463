"""`saflex table`: means, deviations and paired differences from the reports."""

import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saflex_cli.cli.catalogue import complete_table_or_recipe, find_table_or_recipe
from saflex_cli.cli.options import Out, Overrides
from saflex_cli.errors import RecipeError, ResultsError

if TYPE_CHECKING:
    from saflex_cli.store.table import Table

EXAMPLES = """\b
Examples:
  saflex table quickstart/digits
  saflex table recipes/tables/table1.yaml --format tex > table1.tex
  saflex table table1 --write
  saflex table --check"""


class Format(StrEnum):
    """How a table is printed."""

    MD = "md"
    CSV = "csv"
    TEX = "tex"


def run(
    given: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TABLE|RECIPE]...",
            help="Path or name of a table file, or of a recipe; --check alone takes every table file.",
            autocompletion=complete_table_or_recipe,
        ),
    ] = None,
    format: Annotated[Format, typer.Option(help="How to print it.")] = Format.MD,  # noqa: A002 - the option's name
    check: Annotated[
        bool, typer.Option("--check", help="Compare the committed tables with the reports; print nothing else.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the table to tables/ in every format.")] = False,
    allow_missing: Annotated[bool, typer.Option("--allow-missing", help="Use the seeds that are there.")] = False,
    overrides: Overrides = None,
    out: Out = None,
) -> None:
    """Print the table of a table file or of a recipe.

    A missing or stale report is an error that says how to make it.
    """
    from saflex_cli.cli.plan import landing
    from saflex_cli.store.aggregate import build_table
    from saflex_cli.store.check import check_tables, table_files, write_tables
    from saflex_cli.store.render import render

    if not given and not check:
        raise typer.BadParameter("name a table or a recipe (only --check alone takes every table)")
    results, _ = landing(out, overrides or [])
    problems = []
    for path in [find_table_or_recipe(text) for text in given or []] or _every_table():
        table = _load(path, overrides or [])
        unwritten = check and not given and not any(file.exists() for file in table_files(results, table).values())
        data = build_table(table, results, allow_missing or unwritten or table.incomplete is not None)
        if unwritten and not data.is_complete:
            typer.echo(f"{table.name}: not written; {data.reports} of {data.expected} reports are there")
            continue
        if write:
            for written in write_tables(data, results):
                typer.echo(f"wrote {written}", err=True)
        if not check:
            typer.echo(render(data, format.value), nl=False)
            continue
        try:
            check_tables(data, results)
            typer.echo(f"{table.name}: as its reports say")
        except ResultsError as error:
            problems.append(str(error))
    if problems:
        raise ResultsError("\n".join(problems))


def _every_table() -> list[Path]:
    found = sorted(Path("recipes", "tables").glob("*.yaml"))
    if not found:
        raise RecipeError("no table files in recipes/tables/; run this in the project's folder, or name a table")
    return found


def _load(path: Path, overrides: list[str]) -> "Table":
    from saflex_cli.config.load import load_recipe
    from saflex_cli.store.table import load_table, table_from_recipe

    if not overrides:
        return load_table(path)
    if path.parent.name == "tables":
        raise RecipeError(f"{path}: --set changes recipes, not table files; name the recipe instead")
    words = [str(path), *(word for override in overrides for word in ("--set", override))]
    return table_from_recipe(load_recipe(path, overrides), source=shlex.join(words))
