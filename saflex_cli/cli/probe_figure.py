"""The figure of a probe: its numbers in the form that is drawn."""

from collections.abc import Iterator, Sequence

from saflex_cli.config.probe_config import Decrease
from saflex_cli.figures.lines import Line, Mark, Panel, draw_lines
from saflex_cli.store.estimates import Estimate
from saflex_cli.store.probes.sections import PLAIN_SCORES, SOLUTIONS
from saflex_cli.store.probes.table import Group, ProbeData
from saflex_cli.store.studies.statistics import mean_interval

_KNOWLEDGE = "Mean over seeds with its 95 % interval. Dashed: scores without Π."
_DECREASE = "Percent of the best outer decrease found: mean over seeds and epochs, 95 % interval over seeds."
_REFERENCES = ("exact", "upstream", "true_labels")
_LIMITS = (-100.0, 110.0)
"""Shares fall to minus many thousands, beside which all others would be one line."""


def draw_probe(data: ProbeData) -> bytes:
    """A PNG with one panel per case and trained method, or per kind of decrease."""
    probe, first = data.probe, data.sections[0]
    decreases = isinstance(probe.measure, Decrease)
    panels = _decreases(data) if decreases else _aucs(data)
    references = _REFERENCES if decreases else PLAIN_SCORES
    return draw_lines(
        probe.title,
        tuple(panels),
        tuple(first.rows.values()),
        tuple(first.rows[name] for name in references),
        _DECREASE if decreases else _KNOWLEDGE,
        per_row=2 if decreases else None,
    )


def _aucs(data: ProbeData) -> Iterator[Panel]:
    section = data.sections[0]
    for group in data.groups:
        lines = [
            _line(title, [(float(epoch), group.value(section, name, epoch)) for epoch in group.epochs])
            for name, title in section.rows.items()
        ]
        yield Panel(_title(data, group), "epochs trained", "AUC (%)", tuple(lines), even=True)


def _decreases(data: ProbeData) -> Iterator[Panel]:
    for group in data.groups:
        subjects = dict.fromkeys(section.subject for section in data.sections if section.rows is SOLUTIONS)
        for subject in subjects:
            sections = [section for section in data.sections if section.subject == subject]
            lines = [
                _line(title, [(section.rate or 0.0, group.over_epochs(section, name)) for section in sections])
                for name, title in SOLUTIONS.items()
            ]
            short = subject.removeprefix("Decrease of the ")
            yield Panel(
                f"{_title(data, group)}\n{short}", "step size α", "share (%)", tuple(lines), even=True, limits=_LIMITS
            )


def _title(data: ProbeData, group: Group) -> str:
    several = len({other.method for other in data.groups}) > 1
    return group.case.title + (f", {data.probe.title_of(group.method)}" if several else "")


def _line(title: str, values: Sequence[tuple[float, Estimate | None]]) -> Line:
    marks = []
    for at, found in values:
        if found is not None:
            shown = 100 * found.mean >= _LIMITS[0]
            interval = mean_interval([100 * value for value in found.values]) if shown else None
            marks.append(Mark(at, 100 * found.mean, interval))
    return Line(title, tuple(marks))
