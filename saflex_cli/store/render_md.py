"""Markdown whose pipes are aligned, so that it reads as well raw."""

from collections.abc import Iterator
from textwrap import fill

from saflex_cli.store.entries import Entry
from saflex_cli.store.layout import WIDTH, Block, Layout, Strip


def render_md(layout: Layout) -> str:
    """The whole table as Markdown."""
    parts = [f"# {layout.title}", "\n".join(bullet(note) for note in layout.notes)]
    for block in layout.blocks:
        parts += [f"## {block.heading}", "\n".join(lines(block))]
    parts.append(f"Written by `{layout.command}`; do not edit.")
    return "\n\n".join(parts) + "\n"


def bullet(note: str) -> str:
    """A note as an item of a list, wrapped."""
    return fill(
        note, WIDTH, initial_indent="- ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def lines(block: Block) -> Iterator[str]:
    """The lines of one table, without its heading."""
    first, *others = block.strips
    yield _line([first.header.ljust(first.width), *(strip.header.rjust(strip.width) for strip in others)])
    yield _line(["-" * first.width, *("-" * (strip.width - 1) + ":" for strip in others)])
    for index, title in enumerate(first.entries):
        yield _line([_text(title).ljust(first.width), *(_cell(strip, index) for strip in others)])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(strip: Strip, index: int) -> str:
    return _text(strip.entries[index]).rjust(strip.width)


def _text(entry: Entry) -> str:
    return f"**{entry.text}**" if entry.bold else entry.text
