"""What the terminal shows: messages, and errors without a traceback. Imported when something is to be shown."""

import os
import sys
import traceback
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from saflex_cli.errors import SaflexError

PIPE_WIDTH = 160
"""Columns of a table in a pipe or file, where no terminal says how many there are."""


def stdout() -> Console:
    """The console for results; colour and width as the terminal has them."""
    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, markup=False, emoji=False, width=None if known else PIPE_WIDTH)


def grid(*headers: str) -> Table:
    """An empty table without a frame; a header that starts with `>` makes a column of numbers."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header.removeprefix(">"), justify="right" if header.startswith(">") else "left")
    return table


def show(renderable: Any) -> None:  # noqa: ANN401 - whatever rich can draw
    """Print a table."""
    stdout().print(renderable)


def message(error: BaseException) -> str:
    """What went wrong; for an error that no user can mend, also what to do about it."""
    if isinstance(error, SaflexError):
        return str(error)
    return (
        f"unexpected {type(error).__name__}: {error}\n"
        "please report it, with what the same command prints under SAFLEX_DEBUG=1"
    )


def explain(error: BaseException) -> str:
    """The message of an error; under SAFLEX_DEBUG=1 with the traceback above it."""
    debug = os.environ.get("SAFLEX_DEBUG") == "1"
    return ("".join(traceback.format_exception(error)) if debug else "") + message(error)


def complain(text: str, label: str = "error: ") -> None:
    """Print one message on stderr."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    console.print(Text.assemble((label, "bold red"), text), soft_wrap=True)
