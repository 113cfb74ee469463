"""`saflex data`: which data sets there are, how to get them, and whether they are what they should be."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from saflex_cli.cli.options import DataRoot
from saflex_cli.errors import DataError

EXAMPLES = """\b
Examples:
  saflex data list
  saflex data fetch qsar
  saflex data verify qsar click
  saflex data verify mine.csv --target outcome"""


class Action(StrEnum):
    """What to do."""

    LIST = "list"
    FETCH = "fetch"
    VERIFY = "verify"


def run(
    action: Annotated[
        Action,
        typer.Argument(help="list: what is there; fetch: download, or say how; verify: checksum, counts, Table 5."),
    ],
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME", help="Data sets; to verify, also paths of CSV files. Without: all that are there."
        ),
    ] = None,
    data_root: DataRoot = None,
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="Of a CSV file: the class.")] = None,
    separator: Annotated[str, typer.Option(metavar="CHARACTER", help="Of a CSV file: between cells.")] = ",",
) -> None:
    """List, fetch or verify data sets; with a CSV file, show how its columns are read."""
    from saflex_cli.cli.data_sets import describe_file, fetch, found, table_of_sets, verify
    from saflex_cli.data.root import data_root as resolve

    root = resolve(data_root)
    if action is Action.LIST:
        from saflex_cli.cli.console import show

        typer.echo(f"data root: {root}{'' if root.is_dir() else ' (does not exist yet)'}")
        show(table_of_sets(root, names or []))
        typer.echo("`saflex data fetch NAME` downloads a missing one, or says where to get it.")
    elif action is Action.FETCH:
        if not names:
            raise typer.BadParameter("name what to fetch; `saflex data list` shows what is missing")
        _each(names, partial(fetch, root=root))
    else:
        chosen = names or found(root)
        if not chosen:
            raise DataError(f"{root}: holds no data set yet; `saflex data list` says where to put them")
        describe = partial(describe_file, target=target, separator=separator)
        _each(chosen, lambda name: describe(Path(name)) if Path(name).is_file() else verify(name, root))


def _each(names: Sequence[str], act: Callable[[str], Any]) -> None:
    """Act on every name, show what it gives, and fail at the end if one failed."""
    problems = []
    for name in names:
        try:
            typer.echo("\n".join(act(name)))
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError("\n".join(problems))
