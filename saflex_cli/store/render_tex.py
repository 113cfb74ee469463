"""LaTeX tabulars for the package booktabs, to be included in a document that gives them a caption."""

import re
from collections.abc import Iterator

from saflex_cli.store.entries import Entry
from saflex_cli.store.layout import Block, Layout

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "†": r"$^{\dagger}$",
    "–": "--",
} | {character: f"\\{character}" for character in "&%$#_{}"}


def render_tex(layout: Layout) -> str:
    """The whole table as LaTeX; title and notes are comments."""
    head = [layout.title, *layout.notes, r"Needs \usepackage{booktabs}.", f"Written by: {layout.command}"]
    parts = ["\n".join(f"% {line}" for line in head)]
    parts += ["\n".join(_lines(block)) for block in layout.blocks]
    return "\n\n".join(parts) + "\n"


def _lines(block: Block) -> Iterator[str]:
    yield f"% {block.heading}"
    yield rf"\begin{{tabular}}{{l{'r' * (len(block.strips) - 1)}}}"
    yield r"\toprule"
    yield _line([Entry(strip.header) for strip in block.strips])
    yield r"\midrule"
    for entries in zip(*(strip.entries for strip in block.strips), strict=True):
        yield _line(entries)
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _line(entries: tuple[Entry, ...] | list[Entry]) -> str:
    line = " & ".join(_text(entry) for entry in entries)
    # After \\, LaTeX takes a bracket or an asterisk for an argument.
    return ("{}" if line[0] in "[*" else "") + line + r" \\"


def _text(entry: Entry) -> str:
    text = "".join(_SPECIAL.get(character, character) for character in entry.text)
    text = re.sub(r"(?<![\w-])-(?=\d)", "$-$", text)
    return rf"\textbf{{{text}}}" if entry.bold else text
