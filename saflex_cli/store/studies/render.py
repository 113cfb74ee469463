"""A study as Markdown: means and differences curve by curve, then who won how often."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from textwrap import fill

from saflex_cli.store.entries import ABSENT, LAST_EPOCH_MARK, Entry, mean_entry, signed
from saflex_cli.store.layout import WIDTH, Block, Strip, fitting
from saflex_cli.store.render_md import bullet, lines
from saflex_cli.store.studies.notes import notes
from saflex_cli.store.studies.table import CellData, CurveData, Result, StudyData, Versus

_DIFFERENCES = "Paired differences [95 % interval]"


def write_command(data: StudyData) -> str:
    """The command that writes the files of a study anew from its packed reports."""
    return f"saflex study {data.study.source} --table"


def render_md(data: StudyData) -> str:
    """The whole study; the figure lies beside it."""
    study = data.study
    parts = [f"# {study.title}", fill(study.question, WIDTH), "\n".join(bullet(note) for note in notes(data))]
    parts.append(f"![{study.title}: {study.axis}]({study.name}.png)")
    for curve in data.curves:
        parts.append(f"## {curve.curve.title}")
        parts += chain.from_iterable(_section(block) for block in _curve_blocks(data, curve))
    parts.append("## Over all cells")
    parts += chain.from_iterable(_section(block) for block in _summary(data))
    parts.append(f"Written by `{write_command(data)}`; do not edit.")
    return "\n\n".join(parts) + "\n"


def _section(block: Block) -> Iterator[str]:
    yield f"### {block.heading}"
    yield "\n".join(lines(block))


def _curve_blocks(data: StudyData, curve: CurveData) -> Iterator[Block]:
    study = data.study
    labels = [label for label in study.methods if any(label in cell.results for cell in curve.cells)]
    yield from _blocks(data, "Means ± standard deviation", curve.cells, labels, _mean)
    challengers = [label for label in labels if label not in study.opponents]
    for opponent in study.opponents:
        heading = f"{_DIFFERENCES} vs {study.title_of(opponent)}"
        yield from _blocks(data, heading, curve.cells, challengers, _difference_to(data, opponent))


def _blocks(
    data: StudyData, heading: str, cells: Sequence[CellData], labels: Sequence[str], entry: Callable[[Result], Entry]
) -> Iterator[Block]:
    """Rows are methods, columns are cells, as many side by side as fit a terminal."""
    titles = Strip("method", tuple(Entry(data.study.title_of(label)) for label in labels))
    strips = [
        Strip(
            cell.cell.text, tuple(entry(cell.results[label]) if label in cell.results else ABSENT for label in labels)
        )
        for cell in cells
    ]
    return fitting(heading, titles, strips)


def _mean(result: Result) -> Entry:
    if result.estimate is None:
        return ABSENT
    return Entry(mean_entry(result.estimate).text + _missing(result))


def _missing(result: Result) -> str:
    return "" if result.is_complete else f" (n = {len(result.seeds)}/{result.expected})"


def _difference_to(data: StudyData, opponent: str) -> Callable[[Result], Entry]:
    def entry(result: Result) -> Entry:
        versus = result.versus.get(opponent)
        return ABSENT if versus is None else _difference(versus, result, selects=data.study.epoch == "selected")

    return entry


def _difference(versus: Versus, result: Result, *, selects: bool) -> Entry:
    text = signed(versus.difference.mean)
    if versus.difference.interval is not None:
        text += " [{}, {}]".format(*map(signed, versus.difference.interval))
    mark = LAST_EPOCH_MARK if selects and versus.epoch == "last" else ""
    count = "" if versus.difference.n == result.expected else f" (n = {versus.difference.n})"
    return Entry(text + mark + count, bold=versus.is_significant)


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
        yield Block(f"Mean rank over {cells} cell{'s' if cells > 1 else ''} (1 is best)", (names, values))
