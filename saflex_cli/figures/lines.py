"""Methods along an axis of numbers, one panel per curve: lines with intervals."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from saflex_cli.figures.style import GREY, INK, as_png, blank, class_colours, style

PER_ROW = 3
"""Panels side by side."""
_WIDTH, _HEIGHT, _LEGEND_ROW = 3.3, 2.75, 0.19
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES = ("--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
_SPREAD = 0.035
"""How far the methods of one place stand apart, as a part of the axis' step."""


@dataclass(frozen=True)
class Mark:
    """One method in one cell; values in percent."""

    at: float
    mean: float
    interval: tuple[float, float] | None
    """None with one seed."""


@dataclass(frozen=True)
class Line:
    """One method along the axis."""

    method: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Panel:
    """One curve of a study."""

    title: str
    axis: str
    metric: str
    lines: tuple[Line, ...]
    even: bool = False
    """Numbers stand at even distances, whatever lies between them."""
    limits: tuple[float, float] | None = None
    """Of the metric; lines leave the panel beyond them."""


def draw_lines(
    title: str,
    panels: tuple[Panel, ...],
    methods: tuple[str, ...],
    opponents: tuple[str, ...],
    note: str,
    *,
    per_row: int | None = None,
) -> bytes:
    """A PNG. Opponents are grey and dashed, the other methods coloured; all have markers of their own."""
    columns = per_row or (2 if len(panels) == 4 else min(PER_ROW, len(panels)))
    rows = -(-len(panels) // columns)
    looks = _looks(methods, opponents)
    width = max(columns, 2) * _WIDTH + 0.3
    entries = max(1, int(width / (0.5 + 0.075 * max(map(len, methods)))))
    legend = -(-len(methods) // entries) * _LEGEND_ROW + 0.12
    with style():
        figure = blank(width, rows * _HEIGHT + legend + 0.55)
        height = figure.get_figheight()
        figure.text(0.12 / width, 1 - 0.2 / height, title, size=10, weight="bold", va="center")
        figure.text(0.12 / width, 1 - 0.4 / height, note, va="center", color="#444444", size=7)
        area = (0.12 / width, legend / height, 1 - 0.24 / width, 1 - (legend + 0.55) / height)
        _draw_panels(figure, panels, columns, looks, area)
        handles = [Line2D([], [], label=method, markersize=4.5, **looks[method]) for method in methods]
        figure.legend(handles=handles, loc="lower center", ncols=min(entries, len(methods)), frameon=False, fontsize=8)
        return as_png(figure)


def _looks(methods: tuple[str, ...], opponents: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Line, marker and colour of each method."""
    coloured = [method for method in methods if method not in opponents]
    colours = [tuple(colour) for colour in class_colours(max(1, len(coloured)))]
    looks: dict[str, dict[str, Any]] = {}
    for number, method in enumerate(coloured):
        marker = _MARKERS[(number + number // len(_MARKERS)) % len(_MARKERS)]
        looks[method] = {"color": colours[number], "linestyle": "-", "marker": marker, "linewidth": 1.5}
    greys = ("#444444", "#777777", "#9a9a9a")
    for number, method in enumerate(opponent for opponent in opponents if opponent in methods):
        looks[method] = {
            "color": greys[number % len(greys)],
            "linestyle": _DASHES[number % len(_DASHES)],
            "marker": ("o", "s", "^")[number % 3],
            "markerfacecolor": "white",
            "linewidth": 1.2,
        }
    return looks


def _draw_panels(
    figure: Figure,
    panels: tuple[Panel, ...],
    columns: int,
    looks: dict[str, dict[str, Any]],
    area: tuple[float, float, float, float],
) -> None:
    """`area`: left, bottom, width, height, as parts of the figure."""
    rows = -(-len(panels) // columns)
    left, bottom, width, height = area
    inch = 1 / figure.get_figwidth(), 1 / figure.get_figheight()
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        x, y = left + column * width / columns + 0.45 * inch[0], bottom + (rows - 1 - row) * height / rows
        below = 0.45 * inch[1]
        size = width / columns - 0.55 * inch[0], height / rows - below - 0.3 * inch[1]
        axes = figure.add_axes((x, y + below, *size))
        _draw_panel(axes, panel, looks)
        axes.set_title(panel.title, loc="left", size=9)
        axes.set_xlabel(panel.axis, size=8)
        axes.set_ylabel(panel.metric, size=8)


def _draw_panel(axes: Axes, panel: Panel, looks: dict[str, dict[str, Any]]) -> None:
    places = sorted({mark.at for line in panel.lines for mark in line.marks})
    stands = {place: float(index) if panel.even else place for index, place in enumerate(places)}
    step = min((after - before for before, after in pairwise(stands.values())), default=1.0)
    for number, line in enumerate(panel.lines):
        shift = (number - (len(panel.lines) - 1) / 2) * _SPREAD * step
        marks = sorted(line.marks, key=lambda mark: mark.at)
        look = looks[line.method]
        x = [shift + stands[mark.at] for mark in marks]
        axes.plot(x, [mark.mean for mark in marks], markersize=4.2, zorder=3, **look)
        for at, mark in zip(x, marks, strict=True):
            if mark.interval:
                axes.plot([at, at], mark.interval, color=look["color"], linewidth=0.9, alpha=0.7, zorder=2)
    axes.set_xticks(list(stands.values()), [f"{place:g}" for place in places])
    if panel.limits:
        axes.set_ylim(*panel.limits)
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(colors=INK, labelsize=7, length=2.5)
