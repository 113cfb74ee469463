"""A probe as Markdown and as CSV."""

import csv
import io
from collections.abc import Iterator
from textwrap import fill

from saflex_cli.config.probe_config import Decrease, Knowledge
from saflex_cli.store.entries import ABSENT, Entry
from saflex_cli.store.estimates import Estimate
from saflex_cli.store.layout import WIDTH, Block, Strip, fitting
from saflex_cli.store.probes.sections import Section
from saflex_cli.store.probes.table import Group, ProbeData
from saflex_cli.store.render_csv import percent
from saflex_cli.store.render_md import bullet, lines

_KNOWLEDGE = (
    "All samples of the pool at once; the outer set is the whole validation set. The model is in evaluation mode; in "
    "the rows that say so it is in training mode: there BatchNorm sees the whole pool, and dropout is on.",
    "AUC: of the score as suspicion, high meaning wrong; 50 is chance, below 50 it points the wrong way.",
    "Confident learning (cleanlab, its defaults) sees the pool alone, with the cross-validated predictions of a "
    "logistic regression on the raw inputs; it does not depend on the epoch. With the outer set: each regression is "
    "fitted on that as well.",
    "Classifier of outer set: a logistic regression on the raw inputs, fitted on the outer set alone, which is what Π "
    "has to spend. It does not depend on the epoch either.",
)
_DECREASE = (
    "One augmented batch per seed and epoch, one step of gradient descent with rate α from the state of that epoch, in "
    "evaluation mode and float64; the outer set is the whole validation set, for every solution.",
    "Percent of the decrease of the outer loss that the best weights and labels found reach. 100 is the best found, 0 "
    "no step, below 0 the loss rises. The decrease of the test loss is divided by the same number.",
    "Divided by Σw, as in Algorithm 1, the step has a fixed length; divided by the batch size, dropping samples "
    "shortens it.",
    "Frank–Wolfe gap: how much more a linear view of the loss at the best found promises; 0 at a stationary point, and "
    "an upper bound on what is missing where the loss is convex. Decrease / loss: of the best found.",
)


def write_command(data: ProbeData) -> str:
    """The command that writes the files of a probe anew from its packed records."""
    return f"saflex probe {data.probe.source} --table"


def render_md(data: ProbeData) -> str:
    """The whole probe; the figure lies beside it."""
    probe = data.probe
    parts = [f"# {probe.title}", fill(probe.question, WIDTH), "\n".join(bullet(note) for note in _notes(data))]
    parts.append(f"![{probe.title}]({probe.name}.png)")
    for group in data.groups:
        parts.append(f"## {group.case.title}, trained by {probe.title_of(group.method)}")
        for section in data.sections:
            for block in _blocks(group, section):
                parts += [f"### {block.heading}", "\n".join(lines(block))]
    parts.append(f"Written by `{write_command(data)}`; do not edit.")
    return "\n\n".join(parts) + "\n"


def render_csv(data: ProbeData) -> str:
    """One line per case, trained method, epoch, rate and value; in percent."""
    text = io.StringIO()
    header = ("case", "method", "epoch", "rate", "group", "name", "title", "n", "n_expected", "mean", "std")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for group in data.groups:
        for section in data.sections:
            for epoch in group.epochs:
                for name, title in section.rows.items():
                    writer.writerow(_line(group, section, epoch, name, title))
    return text.getvalue()


def _line(group: Group, section: Section, epoch: int, name: str, title: str) -> list[object]:
    found = group.value(section, name, epoch)
    rate = None if section.rate is None else f"{section.rate:g}"
    place = [group.case.title, group.method, epoch, rate, section.group, name, title]
    if found is None:
        return [*place, 0, group.expected, None, None]
    return [*place, found.n, group.expected, percent(found.mean), percent(found.std)]


def _notes(data: ProbeData) -> Iterator[str]:
    match data.probe.measure:
        case Knowledge():
            yield from _KNOWLEDGE
        case Decrease():
            yield from _DECREASE
    yield "Percent, mean ± standard deviation over seeds. Columns are epochs trained; 0 is before training."
    reports = [record.report for record in data.records.values()]
    seeds = {len(group.records) for group in data.groups}
    yield f"{len(reports)} runs, {min(seeds)}{f' to {max(seeds)}' if len(seeds) > 1 else ''} seeds of each."
    if not data.is_complete:
        yield f"Incomplete: {len(reports)} of {len(data.probe.runs)} runs."
    if any(report.environment.git_dirty for report in reports):
        yield "Made with code that is in no commit."


def _blocks(group: Group, section: Section) -> Iterator[Block]:
    titles = Strip("", tuple(Entry(title) for title in section.rows.values()))
    strips = [
        Strip(str(epoch), tuple(_entry(group.value(section, name, epoch), group) for name in section.rows))
        for epoch in group.epochs
    ]
    return fitting(section.heading, titles, strips)


def _entry(found: Estimate | None, group: Group) -> Entry:
    if found is None:
        return ABSENT
    text = f"{100 * found.mean:z.1f}" + (f" ± {100 * found.std:.1f}" if found.std is not None else "")
    return Entry(text + ("" if found.n == group.expected else f" (n = {found.n})"))
