"""Arguments and options that several benchmarks share."""

from typing import Annotated

import typer

from saflex_cli.cli.catalogue import complete_recipe

RecipeArgument = Annotated[
    str, typer.Argument(metavar="RECIPE", help="Path or name of a recipe.", autocompletion=complete_recipe)
]
Write = Annotated[bool, typer.Option("--write", help="Write it to the results, under bench/.")]
Quick = Annotated[
    bool, typer.Option("--quick", help="As little as shows that it runs: the numbers mean nothing. Not with --write.")
]
QUICK = ("train.batch_size=8",)
"""How a smoke run changes the recipe."""


def refuse_quick(*, quick: bool, write: bool) -> None:
    """A smoke run leaves nothing behind that could be taken for a measurement."""
    if quick and write:
        raise typer.BadParameter("--quick measures nothing that is worth writing; leave out --quick or --write")
