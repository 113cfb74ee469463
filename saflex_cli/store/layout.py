"""What a printed table says and where, for every format alike: notes, and blocks of columns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from saflex_cli.store.aggregate import Cell, TableData
from saflex_cli.store.entries import (
    Entry,
    changed_entry,
    count_entry,
    difference_entry,
    dropped_entry,
    headline_entry,
    mean_entry,
    published_entry,
    weight_entry,
)
from saflex_cli.store.notes import notes
from saflex_cli.store.scores import Epoch
from saflex_cli.store.table import Column, Table

WIDTH = 80
"""Columns of the terminal that a table of one recipe fits."""

_MEANS = "Means ± standard deviation"
_DIFFERENCES = "Paired differences [95 % interval]"
_FACTS = "What SAFLEX did, over all steps and seeds"


@dataclass(frozen=True)
class Strip:
    """One printed column."""

    header: str
    entries: tuple[Entry, ...]

    @property
    def width(self) -> int:
        """Characters of the widest line in Markdown: four asterisks make bold, and the rule below needs three."""
        return max(3, len(self.header), *(len(entry.text) + 4 * entry.bold for entry in self.entries))


@dataclass(frozen=True)
class Block:
    """One printed table: its first strip holds the row titles."""

    heading: str
    strips: tuple[Strip, ...]

    @property
    def width(self) -> int:
        """Characters of a line in Markdown, where `| ` and ` |` surround the strips and ` | ` parts them."""
        return sum(strip.width + 3 for strip in self.strips) + 1


@dataclass(frozen=True)
class Layout:
    """A whole table."""

    title: str
    notes: tuple[str, ...]
    blocks: tuple[Block, ...]
    command: str
    """What writes it anew."""


def lay_out(data: TableData) -> Layout:
    """Arrange a table: one recipe in full on a terminal's width, several recipes side by side."""
    blocks = _one_recipe(data) if len(data.cells) == 1 else _several_recipes(data)
    return Layout(data.table.title, tuple(notes(data)), tuple(blocks), regenerate_command(data))


def regenerate_command(data: TableData) -> str:
    """The command that writes this very table."""
    return f"saflex table {data.table.source} --write" + (
        "" if data.is_complete or data.table.incomplete else " --allow-missing"
    )


def _one_recipe(data: TableData) -> list[Block]:
    table, cells = data.table, data.cells[0]
    means = [_strip("selected", cells, _selected), _strip("last epoch", cells, _last)]
    if table.columns[0].published:
        means.append(_strip("paper", cells, lambda cell: published_entry(cell.published)))
    means.append(_strip("n", cells, count_entry))
    titles = _titles(table)
    differences = [
        Block(f"{_DIFFERENCES}, {epoch} epoch", (titles, _strip(f"vs {title}", cells, entry)))
        for title, epoch, entry in _references(table)
    ]
    return [Block(_MEANS, (titles, *means)), *_joined_if_fitting(differences), *_saflex_facts(data)]


def _saflex_facts(data: TableData) -> list[Block]:
    """What SAFLEX did, for the rows where it did something."""
    refined = [(row, cell) for row, cell in zip(data.table.rows, data.cells[0], strict=True) if cell.saflex]
    if not refined:
        return []
    cells = [cell for _, cell in refined]
    strips = [
        _strip("mean weight", cells, weight_entry),
        _strip("labels changed", cells, changed_entry),
        _strip("steps dropped", cells, dropped_entry),
    ]
    return [Block(_FACTS, (Strip("method", tuple(Entry(row.title) for row, _ in refined)), *strips))]


def _several_recipes(data: TableData) -> list[Block]:
    """The means of all columns, each column beside what the paper prints, then the differences."""
    columns = list(zip(data.table.columns, data.cells, strict=True))

    def blocks(heading: str, entry: Callable[[Cell], Entry]) -> Iterator[Block]:
        strips = [_strip(column.title, cells, entry) for column, cells in columns]
        return fitting(heading, _titles(data.table), strips)

    beside = [_beside_paper(data.table, column, cells) for column, cells in columns if column.published]
    differences = [
        blocks(f"{_DIFFERENCES} vs {title}, {epoch} epoch", entry) for title, epoch, entry in _references(data.table)
    ]
    return [*blocks(_MEANS, headline_entry), *beside, *chain.from_iterable(differences)]


def fitting(heading: str, titles: Strip, strips: Sequence[Strip]) -> Iterator[Block]:
    """As many columns side by side as fit the terminal, and one at least; a part of them is named in the heading."""
    parts: list[tuple[Strip, ...]] = [()]
    for strip in strips:
        if parts[-1] and Block(heading, (titles, *parts[-1], strip)).width > WIDTH:
            parts.append(())
        parts[-1] += (strip,)
    for part in parts:
        named = f": {', '.join(strip.header for strip in part)}" if len(parts) > 1 else ""
        yield Block(heading + named, (titles, *part))


def _beside_paper(table: Table, column: Column, cells: Sequence[Cell]) -> Block:
    """Ours and the paper's, for the rows for which it prints a number."""
    printed = [(row, cell) for row, cell in zip(table.rows, cells, strict=True) if cell.published]
    own = [cell for _, cell in printed]
    strips = [
        _strip("ours", own, headline_entry),
        _strip("paper", own, lambda cell: published_entry(cell.published)),
        _strip("n", own, count_entry),
    ]
    titles = Strip("method", tuple(Entry(row.title) for row, _ in printed))
    return Block(f"{column.title}: ours beside the paper's", (titles, *strips))


def _joined_if_fitting(blocks: Sequence[Block]) -> Sequence[Block]:
    """One block of all columns if it fits the terminal, otherwise the blocks as they are."""
    titles = blocks[0].strips[:1]
    joint = Block(_DIFFERENCES, titles + tuple(chain.from_iterable(block.strips[1:] for block in blocks)))
    return [joint] if len(blocks) > 1 and joint.width <= WIDTH else blocks


def _references(table: Table) -> list[tuple[str, Epoch, Callable[[Cell], Entry]]]:
    """The rows that all others are compared with: title, epoch, and how a cell says it."""
    references: list[tuple[str, Epoch, Callable[[Cell], Entry]]] = []
    references.append((table.title_of(table.baseline), "selected", _to_baseline))
    if table.fair:
        references.append((table.title_of(table.fair), "last", _to_fair))
    return references


def _titles(table: Table) -> Strip:
    return Strip("method", tuple(Entry(row.title) for row in table.rows))


def _strip(header: str, cells: Sequence[Cell], entry: Callable[[Cell], Entry]) -> Strip:
    return Strip(header, tuple(entry(cell) for cell in cells))


def _selected(cell: Cell) -> Entry:
    return mean_entry(cell.selected)


def _last(cell: Cell) -> Entry:
    return mean_entry(cell.last)


def _to_baseline(cell: Cell) -> Entry:
    return difference_entry(cell.to_baseline)


def _to_fair(cell: Cell) -> Entry:
    return difference_entry(cell.to_fair, mark=False)
