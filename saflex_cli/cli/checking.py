"""One line per file that is checked, and all problems together at the end."""

from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from saflex_cli.errors import RecipeError, ResultsError


def check_each(paths: Sequence[Path], check: Callable[[Path], str]) -> None:
    """Print what `check` says of each file; one that fails does not hide the others.

    Raises:
        ResultsError: with every problem.
    """
    problems = []
    for path in paths:
        try:
            typer.echo(check(path))
        except (RecipeError, ResultsError) as error:
            problems.append(str(error))
    if problems:
        raise ResultsError("\n".join(problems))
