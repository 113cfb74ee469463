"""Methods along an axis, one panel per curve: lines over numbers, points over categories, with intervals."""

from dataclasses import dataclass
from itertools import pairwise
from textwrap import fill
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
_LETTERS = 54
"""How many fit below a panel."""
_SPREAD = 0.035
"""How far the methods of one place stand apart, as a part of the axis' step or of one category."""


@dataclass(frozen=True)
class Mark:
    """One method in one cell; values in percent."""

    at: float | str
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
    metric: str
    lines: tuple[Line, ...]
    even: bool = False
    """Numbers stand at even distances, whatever lies between them."""
    limits: tuple[float, float] | None = None
    """Of the metric; lines leave the panel beyond them."""


def draw_lines(
    title: str,
    axis: str,
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
        _draw_panels(figure, panels, axis, columns, looks, area)
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
    axis: str,
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
        below = (0.33 + 0.12 * max(text.count("\n") + 1 for text in _texts(panel) or ("",))) * inch[1]
        size = width / columns - 0.55 * inch[0], height / rows - below - 0.3 * inch[1]
        axes = figure.add_axes((x, y + below, *size))
        _draw_panel(axes, panel, looks)
        axes.set_title(panel.title, loc="left", size=9)
        axes.set_xlabel(axis, size=8)
        axes.set_ylabel(panel.metric, size=8)


def _places(panel: Panel) -> list[float | str]:
    return list(dict.fromkeys(mark.at for line in panel.lines for mark in line.marks))


def _texts(panel: Panel) -> list[str]:
    """The places as the axis names them, wrapped so that they fit side by side."""
    places = _places(panel)
    letters = max(6, _LETTERS // max(1, len(places)))
    return [
        fill(place, letters, break_long_words=False) if isinstance(place, str) else f"{place:g}" for place in places
    ]


def _draw_panel(axes: Axes, panel: Panel, looks: dict[str, dict[str, Any]]) -> None:
    places = _places(panel)
    named = [place for place in places if isinstance(place, str)]
    labels: list[float] = sorted(place for place in places if not isinstance(place, str))
    stands: dict[float | str, float] = {place: place for place in labels}
    if named or panel.even:
        ordered: list[float | str] = [*named, *labels]
        stands = {place: float(index) for index, place in enumerate(ordered)}
    numbers = [stands[place] for place in labels]
    steps = [after - before for before, after in pairwise(numbers)]
    step = min(steps, default=1.0)
    for number, line in enumerate(panel.lines):
        shift = (number - (len(panel.lines) - 1) / 2) * (0.7 / len(panel.lines) if named else _SPREAD * step)
        marks = sorted(line.marks, key=lambda mark: stands[mark.at])
        x = [shift + stands[mark.at] for mark in marks]
        y = [mark.mean for mark in marks]
        look = looks[line.method] | ({"linestyle": "none"} if named else {})
        axes.plot(x, y, markersize=4.2, zorder=3, **look)
        bars = [(place, mark.interval) for place, mark in zip(x, marks, strict=True) if mark.interval]
        for place, interval in bars:
            axes.plot([place, place], interval, color=look["color"], linewidth=0.9, alpha=0.7, zorder=2)
    if named:
        axes.set_xticks(range(len(places)), _texts(panel), size=7)
        axes.set_xlim(-0.5, len(places) - 0.5)
    else:
        axes.set_xticks(numbers, [f"{place:g}" for place in labels])
    if panel.limits:
        axes.set_ylim(*panel.limits)
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(colors=INK, labelsize=7, length=2.5)
