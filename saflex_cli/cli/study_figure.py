"""The figure of a study: its numbers in the form that is drawn."""

from collections.abc import Sequence

from saflex_cli.figures.lines import Line, Mark, Panel, draw_lines
from saflex_cli.store.studies.statistics import mean_interval
from saflex_cli.store.studies.table import CellData, CurveData, StudyData

_NAMES = {"accuracy": "test accuracy (%)", "auroc": "test AUROC (%)"}
NOTE = "Mean over seeds with its 95 % interval. Whether methods differ is in the table: paired, and corrected."


def draw_study(data: StudyData) -> bytes:
    """A PNG with one panel per curve."""
    study = data.study
    drawn = [label for label in study.methods if not study.focus or label in (*study.focus, *study.opponents)]
    return draw_lines(
        study.title,
        tuple(_panel(data, curve, drawn) for curve in data.curves),
        tuple(map(study.title_of, drawn)),
        tuple(map(study.title_of, study.opponents)),
        NOTE,
    )


def _panel(data: StudyData, curve: CurveData, labels: Sequence[str]) -> Panel:
    lines = []
    for label in labels:
        marks = [mark for cell in curve.cells if (mark := _mark(cell, label)) is not None]
        if marks:
            lines.append(Line(data.study.title_of(label), tuple(marks)))
    return Panel(curve.curve.title, curve.curve.axis, _NAMES[curve.curve.metric], tuple(lines))


def _mark(cell: CellData, label: str) -> Mark | None:
    result = cell.results.get(label)
    if result is None or result.estimate is None:
        return None
    interval = mean_interval([100 * value for value in result.estimate.values])
    return Mark(cell.cell.at, 100 * result.estimate.mean, interval)
