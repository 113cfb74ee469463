"""The figure of a probe: its numbers in the form that is drawn."""

from collections.abc import Iterator, Sequence

from saflex_cli.config.probe_config import Decrease
from saflex_cli.figures.lines import Line, Mark, Panel, draw_lines
from saflex_cli.store.estimates import Estimate
from saflex_cli.store.probes.sections import PLAIN_SCORES, Section
from saflex_cli.store.probes.table import Group, ProbeData
from saflex_cli.store.studies.statistics import mean_interval

_KNOWLEDGE = "Mean over seeds with its 95 % interval. Dashed: scores without Π."
_DECREASE = (
    "Percent of the outer loss's decrease by the best weights and labels found. Mean over seeds, of each the mean over "
    "epochs, with the 95 % interval; values below −100 % are left out."
)
_REFERENCES = ("exact", "upstream", "true_labels")
_LOWEST = -1.0
"""Shares below this would press all others into one line; the table has them."""


def draw_probe(data: ProbeData) -> bytes:
    """A PNG with one panel per case and trained method, or per kind of decrease."""
    probe, first = data.probe, data.sections[0]
    decreases = isinstance(probe.measure, Decrease)
    panels = _decreases(data) if decreases else _aucs(data)
    references = _REFERENCES if decreases else PLAIN_SCORES
    return draw_lines(
        probe.title,
        "step size α" if decreases else "epochs trained",
        tuple(panels),
        tuple(first.rows.values()),
        tuple(first.rows[name] for name in references),
        _DECREASE if decreases else _KNOWLEDGE,
    )


def _aucs(data: ProbeData) -> Iterator[Panel]:
    section = data.sections[0]
    for group in data.groups:
        found = {
            name: [(column.epoch, group.value(section, name, column)) for column in data.columns(section)]
            for name in section.rows
        }
        lines = tuple(_line(section.rows[name], marks) for name, marks in found.items())
        yield Panel(_title(data, group), "AUC (%)", lines, even=True)


def _decreases(data: ProbeData) -> Iterator[Panel]:
    for group in data.groups:
        for section in data.sections:
            if section.rows.keys() >= set(_REFERENCES):
                found = {
                    name: [(rate, group.over_epochs(section, name, rate)) for rate in section.rates]
                    for name in section.rows
                }
                lines = tuple(_line(section.rows[name], marks) for name, marks in found.items())
                yield Panel(f"{_title(data, group)}\n{_kind(section)}", "share (%)", lines, even=True)


def _kind(section: Section) -> str:
    return section.heading.removeprefix("Decrease of the ")


def _title(data: ProbeData, group: Group) -> str:
    several = len({other.method for other in data.groups}) > 1
    return group.case.title + (f", {data.probe.title_of(group.method)}" if several else "")


def _line(title: str, values: Sequence[tuple[float, Estimate | None]]) -> Line:
    marks = []
    for at, found in values:
        if found is not None and found.mean >= _LOWEST:
            marks.append(Mark(float(at), 100 * found.mean, mean_interval([100 * value for value in found.values])))
    return Line(title, tuple(marks))
