"""`saflex bench page`: the tables of docs/performance.md, from what was measured."""

from pathlib import Path
from typing import Annotated

import typer

from saflex_cli.cli.options import Out

EXAMPLES = """\b
Examples:
  saflex bench page
  saflex bench page --write
  saflex bench page --check"""

_PAGE = Path("docs", "performance.md")


def run(
    check: Annotated[bool, typer.Option("--check", help=f"Compare {_PAGE} with what was measured.")] = False,
    write: Annotated[bool, typer.Option("--write", help=f"Write the tables into {_PAGE}.")] = False,
    out: Out = None,
) -> None:
    """Print the tables of docs/performance.md: the goals with their verdicts, and every measured cost."""
    from saflex_cli.errors import ResultsError
    from saflex_cli.store.check import compare_file
    from saflex_cli.store.files import write_text
    from saflex_cli.store.performance.costs import Costs
    from saflex_cli.store.performance.page import COMMAND, fill, tables

    if check and write:
        raise typer.BadParameter("--check and --write exclude each other")
    made = tables(Costs.load(out or Path("results")))
    if not (check or write):
        typer.echo("\n\n".join(f"{name}\n\n{text}" for name, text in made.items()))
        return
    try:
        text = fill(_PAGE.read_text(encoding="utf-8"), made, _PAGE)
    except OSError as error:
        raise ResultsError(f"{_PAGE}: cannot be read ({error.strerror}); run this in the project's folder") from error
    if check:
        compare_file(_PAGE, text, mend=f"`{COMMAND}` writes it anew")
        typer.echo(f"{_PAGE}: as measured")
    else:
        write_text(_PAGE, text)
        typer.echo(f"wrote {_PAGE}", err=True)
