"""`saflex claims`: the paper's claims, recomputed from the numbers it prints, beside our own reports."""

from pathlib import Path
from typing import Annotated

import typer

from saflex_cli.cli.options import Out
from saflex_cli.errors import RecipeError

EXAMPLES = """\b
Examples:
  saflex claims
  saflex claims --write
  saflex claims --check"""

_TABLES = Path("recipes", "tables")
_DOCUMENT = Path("docs", "claims.md")


def run(
    check: Annotated[
        bool, typer.Option("--check", help=f"Compare {_DOCUMENT} with what the numbers give now.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help=f"Write {_DOCUMENT}.")] = False,
    out: Out = None,
) -> None:
    """Print every numeric claim of the paper's text with its verdict from the printed tables, and our own evidence."""
    from saflex_cli.store.check import compare_file
    from saflex_cli.store.claims.document import COMMAND, render_claims
    from saflex_cli.store.claims.measured import Measured
    from saflex_cli.store.claims.printed import Printed
    from saflex_cli.store.files import write_text

    if check and write:
        raise typer.BadParameter("--check and --write exclude each other")
    if not _TABLES.is_dir():
        raise RecipeError(f"no folder {_TABLES}; run this in the project's folder")
    text = render_claims(Printed.read(_TABLES / "published.csv"), Measured.load(_TABLES, out or Path("results")))
    if check:
        compare_file(_DOCUMENT, text, mend=f"`{COMMAND}` writes it anew")
        typer.echo(f"{_DOCUMENT}: as the numbers say")
    elif write:
        write_text(_DOCUMENT, text)
        typer.echo(f"wrote {_DOCUMENT}", err=True)
    else:
        typer.echo(text, nl=False)
