"""The figure of a study: its numbers in the form that is drawn."""

from collections.abc import Sequence

from saflex_cli.config.metrics import METRIC_NAMES
from saflex_cli.figures.lines import Line, Mark, Panel, draw_lines
from saflex_cli.figures.rows import RowMark, RowPanel, draw_rows
from saflex_cli.store.studies.statistics import mean_interval
from saflex_cli.store.studies.table import CellData, CurveData, Result, StudyData

NOTE = "Mean over seeds with its 95 % interval. Whether methods differ is in the table: paired, and corrected."


def draw_study(data: StudyData) -> bytes:
    """A PNG with one panel per curve that has results, or per cell where the axis has names instead of numbers."""
    study = data.study
    drawn = study.in_figure
    methods, opponents = tuple(map(study.title_of, drawn)), tuple(map(study.title_of, study.opponents))
    if isinstance(study.cells[0].at, str):
        cells = tuple(_cell(data, curve, cell, drawn) for curve in data.curves for cell in curve.cells)
        return draw_rows(study.title, cells, methods, opponents, NOTE)
    curves = tuple(_curve(data, curve, drawn) for curve in data.curves)
    return draw_lines(study.title, tuple(curve for curve in curves if curve.lines), methods, opponents, NOTE)


def _curve(data: StudyData, curve: CurveData, labels: Sequence[str]) -> Panel:
    lines = []
    for label in labels:
        marks = [
            Mark(cell.cell.at, *mark)
            for cell in curve.cells
            if not isinstance(cell.cell.at, str) and (mark := _mark(cell.results.get(label))) is not None
        ]
        if marks:
            lines.append(Line(data.study.title_of(label), tuple(marks)))
    return Panel(curve.curve.title, curve.curve.axis, f"test {METRIC_NAMES[curve.curve.metric]} (%)", tuple(lines))


def _cell(data: StudyData, curve: CurveData, cell: CellData, labels: Sequence[str]) -> RowPanel:
    marks = {data.study.title_of(label): _mark(cell.results.get(label)) for label in labels}
    drawn = {title: RowMark(*mark) for title, mark in marks.items() if mark is not None}
    return RowPanel(curve.curve.title, cell.cell.text, f"test {METRIC_NAMES[curve.curve.metric]} (%)", drawn)


def _mark(result: Result | None) -> tuple[float, tuple[float, float] | None] | None:
    """Mean and interval, in percent."""
    if result is None or result.estimate is None:
        return None
    return 100 * result.estimate.mean, mean_interval([100 * value for value in result.estimate.values])
