"""One table, three formats."""

from typing import Literal, assert_never

from saflex_cli.store.aggregate import TableData
from saflex_cli.store.layout import lay_out
from saflex_cli.store.render_csv import render_csv
from saflex_cli.store.render_md import render_md
from saflex_cli.store.render_tex import render_tex

Format = Literal["md", "csv", "tex"]


def render(data: TableData, format: Format) -> str:  # noqa: A002 - the word that users know from the command line
    """The text of a table: Markdown to read, LaTeX to include, CSV in long form to compute with."""
    match format:
        case "md":
            return render_md(lay_out(data))
        case "tex":
            return render_tex(lay_out(data))
        case "csv":
            return render_csv(data)
        case _:
            assert_never(format)
