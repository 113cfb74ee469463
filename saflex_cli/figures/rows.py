"""Methods as rows, one panel per cell: means with their intervals, where an axis of numbers would mean nothing."""

from dataclasses import dataclass

from matplotlib.axes import Axes

from saflex_cli.figures.style import GREY, INK, as_png, blank, style

PER_ROW = 4
"""Panels side by side."""
_PANEL, _ROW, _HEAD, _FOOT = 1.85, 0.165, 0.55, 0.6
"""Inches: width of a panel, height of a row, and what is above and below the rows."""
_LETTER = 0.078
"""Inches of a letter of a row's title."""
_OPPONENT, _METHOD = "#777777", "#0072b2"


@dataclass(frozen=True)
class RowMark:
    """One method in one cell; values in percent."""

    mean: float
    interval: tuple[float, float] | None
    """None with one seed."""


@dataclass(frozen=True)
class RowPanel:
    """One cell of a study."""

    title: str
    subtitle: str
    metric: str
    marks: dict[str, RowMark]
    """By method."""


def draw_rows(
    title: str, panels: tuple[RowPanel, ...], methods: tuple[str, ...], opponents: tuple[str, ...], note: str
) -> bytes:
    """A PNG. Opponents are hollow and grey; the dashed line is the best of them in the panel."""
    columns = min(PER_ROW, len(panels))
    rows = -(-len(panels) // columns)
    left = _LETTER * max(map(len, methods)) + 0.2
    width = left + columns * _PANEL + 0.15
    tall = len(methods) * _ROW
    with style():
        figure = blank(max(width, 6.9), rows * (tall + _HEAD + _FOOT) + 0.5)
        across, up = figure.get_figwidth(), figure.get_figheight()
        figure.text(0.12 / across, 1 - 0.2 / up, title, size=10, weight="bold", va="center")
        figure.text(0.12 / across, 1 - 0.4 / up, note, va="center", color="#444444", size=7)
        for number, panel in enumerate(panels):
            row, column = divmod(number, columns)
            x, y = left + column * _PANEL, up - 0.5 - (row + 1) * (tall + _HEAD + _FOOT) + _FOOT
            axes = figure.add_axes((x / across, y / up, (_PANEL - 0.15) / across, tall / up))
            _draw_panel(axes, panel, methods, opponents, named=column == 0)
        return as_png(figure)


def _draw_panel(
    axes: Axes, panel: RowPanel, methods: tuple[str, ...], opponents: tuple[str, ...], *, named: bool
) -> None:
    for place, method in enumerate(methods):
        mark = panel.marks.get(method)
        if mark is None:
            continue
        colour = _OPPONENT if method in opponents else _METHOD
        if mark.interval:
            axes.plot(mark.interval, [place, place], color=colour, linewidth=1.1, alpha=0.7)
        face = "white" if method in opponents else colour
        axes.plot([mark.mean], [place], "o", color=colour, markerfacecolor=face, markersize=3.8)
    best = max((panel.marks[method].mean for method in opponents if method in panel.marks), default=None)
    if best is not None:
        axes.axvline(best, color=_OPPONENT, linewidth=0.8, linestyle="--", zorder=0)
    axes.set_ylim(len(methods) - 0.4, -0.6)
    axes.set_yticks(range(len(methods)), methods if named else [""] * len(methods), size=7)
    axes.set_title(f"{panel.title}\n{panel.subtitle}", loc="left", size=8)
    axes.set_xlabel(panel.metric, size=7)
    axes.grid(axis="both", color="#ececec", linewidth=0.6)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.tick_params(colors=INK, labelsize=7, length=0)
