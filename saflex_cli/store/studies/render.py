"""A study as Markdown: means and differences curve by curve, then who won how often."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from textwrap import fill

from saflex_cli.store.entries import ABSENT, LAST_EPOCH_MARK, Entry, mean_entry, signed
from saflex_cli.store.layout import WIDTH, Block, Strip, fitting
from saflex_cli.store.render_md import bullet, lines
from saflex_cli.store.studies.choice import Choice
from saflex_cli.store.studies.facts import fact_blocks
from saflex_cli.store.studies.notes import choice_notes, notes
from saflex_cli.store.studies.table import CellData, CurveData, Result, StudyData, Versus

_DIFFERENCES = "Paired differences [95 % interval]"


def write_command(data: StudyData) -> str:
    """The command that writes the files of a study anew from its packed reports."""
    return f"saflex study {data.study.source} --table"


def render_md(data: StudyData, choice: Choice | None = None) -> str:
    """The whole study, with what its rule chooses; the figure lies beside it."""
    study = data.study
    parts = [f"# {study.title}", fill(study.question, WIDTH), "\n".join(bullet(note) for note in notes(data))]
    parts.append(f"![{study.title}: {study.axis}]({study.name}.png)")
    for curve in data.curves:
        parts.append(f"## {curve.curve.title}")
        if curve.curve.axis != study.axis:
            parts.append(f"Columns: {curve.curve.axis}.")
        parts += chain.from_iterable(_section(block) for block in _curve_blocks(data, curve))
    parts.append("## Over all cells")
    parts += chain.from_iterable(_section(block) for block in _summary(data))
    if choice is not None:
        parts += ["## The choice", "\n".join(bullet(note) for note in choice_notes(data.study, choice))]
        parts += _section(_choice(data, choice))
    parts.append(f"Written by `{write_command(data)}`; do not edit.")
    return "\n\n".join(parts) + "\n"


def _section(block: Block) -> Iterator[str]:
    yield f"### {block.heading}"
    yield "\n".join(lines(block))


def _curve_blocks(data: StudyData, curve: CurveData) -> Iterator[Block]:
    study = data.study
    labels = [label for label in study.methods if any(label in cell.results for cell in curve.cells)]
    rows = [(study.title_of(label), label) for label in labels]
    yield from _blocks("Means ± standard deviation", "method", curve.cells, rows, _mean)
    opponents = [opponent for opponent in study.opponents if opponent in labels]
    if study.focus:
        for label in (label for label in study.focus if label in labels):
            against = [(f"vs {study.title_of(opponent)}", opponent) for opponent in opponents]
            heading = f"{_DIFFERENCES} of {study.title_of(label)}"
            yield from _blocks(heading, "opponent", curve.cells, against, _differences_of(data, label))
    else:
        challengers = [row for row in rows if row[1] not in study.opponents]
        for opponent in opponents:
            heading = f"{_DIFFERENCES} vs {study.title_of(opponent)}"
            yield from _blocks(heading, "method", curve.cells, challengers, _differences_to(data, opponent))
    if study.facts:
        yield from fact_blocks(study, curve)


def _blocks(
    heading: str,
    what: str,
    cells: Sequence[CellData],
    rows: Sequence[tuple[str, str]],
    entry: Callable[[CellData, str], Entry],
) -> Iterator[Block]:
    """Rows have a title and a label; columns are cells, as many side by side as fit a terminal."""
    titles = Strip(what, tuple(Entry(title) for title, _ in rows))
    strips = [Strip(cell.cell.text, tuple(entry(cell, label) for _, label in rows)) for cell in cells]
    return fitting(heading, titles, strips)


def _mean(cell: CellData, label: str) -> Entry:
    result = cell.results.get(label)
    if result is None or result.estimate is None:
        return ABSENT
    return Entry(mean_entry(result.estimate).text + _missing(result))


def _missing(result: Result) -> str:
    return "" if result.is_complete else f" (n = {len(result.seeds)}/{result.expected})"


def _differences_to(data: StudyData, opponent: str) -> Callable[[CellData, str], Entry]:
    return lambda cell, label: _difference_in(data, cell, label, opponent)


def _differences_of(data: StudyData, label: str) -> Callable[[CellData, str], Entry]:
    return lambda cell, opponent: _difference_in(data, cell, label, opponent)


def _difference_in(data: StudyData, cell: CellData, label: str, opponent: str) -> Entry:
    result = cell.results.get(label)
    versus = result.versus.get(opponent) if result else None
    if result is None or versus is None:
        return ABSENT
    return _difference(versus, result, selects=data.study.epoch == "selected")


def _difference(versus: Versus, result: Result, *, selects: bool) -> Entry:
    text = signed(versus.difference.mean)
    if versus.difference.interval is not None:
        text += " [{}, {}]".format(*map(signed, versus.difference.interval))
    mark = LAST_EPOCH_MARK if selects and versus.epoch == "last" else ""
    count = "" if versus.difference.n == result.expected else f" (n = {versus.difference.n})"
    return Entry(text + mark + count, bold=versus.is_significant)


def _choice(data: StudyData, choice: Choice) -> Block:
    candidates = choice.candidates
    return Block(
        "Candidates, the chosen one first",
        (
            Strip("method", tuple(Entry(data.study.title_of(one.label)) for one in candidates)),
            Strip("cost of a step", tuple(Entry(f"{one.cost:.2f}") for one in candidates)),
            Strip("cells below", tuple(Entry(str(len(one.below))) for one in candidates)),
            Strip("mean rank", tuple(Entry(f"{one.rank:.2f}") for one in candidates)),
        ),
    )


def _summary(data: StudyData) -> Iterator[Block]:
    study = data.study
    titles = Strip("method", tuple(Entry(study.title_of(label)) for label in study.challengers))
    for opponent in study.opponents:
        records = [data.record(label, opponent) for label in study.challengers]
        strips = [
            Strip(name, tuple(Entry(str(getattr(record, name))) for record in records))
            for name in ("wins", "ties", "losses")
        ]
        if any(record.untested for record in records):
            strips.append(Strip("not tested", tuple(Entry(str(record.untested)) for record in records)))
        means = tuple(ABSENT if record.mean is None else Entry(signed(record.mean)) for record in records)
        yield Block(f"Against {study.title_of(opponent)}", (titles, *strips, Strip("mean difference", means)))
    means_of_ranks, cells = data.mean_ranks()
    if cells:
        ordered = sorted(means_of_ranks, key=means_of_ranks.__getitem__)
        names = Strip("method", tuple(Entry(study.title_of(label)) for label in ordered))
        values = Strip("mean rank", tuple(Entry(f"{means_of_ranks[label]:.2f}") for label in ordered))
        among = "" if len(ordered) == len(study.methods) else f", of the {len(ordered)} methods of every cell"
        yield Block(f"Mean rank over {cells} cell{'s' if cells > 1 else ''} (1 is best){among}", (names, values))
