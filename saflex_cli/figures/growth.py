"""Growth along several axes, log-log: one panel per axis, one line per method."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from saflex_cli.figures.style import GREY, INK, as_png, blank, class_colours, style

_WIDTH, _HEIGHT = 3.3, 3.2
_MARKERS = ("o", "s", "^", "D")


@dataclass(frozen=True)
class Growth:
    """One method along one axis."""

    method: str
    points: tuple[tuple[float, float], ...]
    slope: float
    """Of its upper half."""


@dataclass(frozen=True)
class GrowthPanel:
    """One axis."""

    axis: str
    lines: tuple[Growth, ...]


def draw_growth(title: str, note: str, panels: tuple[GrowthPanel, ...], value: str) -> bytes:
    """A PNG; slopes stand at the lines' ends, and a dashed line shows what linear growth looks like."""
    methods = list(dict.fromkeys(line.method for panel in panels for line in panel.lines))
    colours = [tuple(colour) for colour in class_colours(len(methods))]
    with style():
        width = _WIDTH * len(panels) + 0.2
        figure = blank(width, _HEIGHT)
        figure.text(0.1 / width, 1 - 0.18 / _HEIGHT, title, size=10, weight="bold", va="center")
        figure.text(0.1 / width, 1 - 0.37 / _HEIGHT, note, va="center", color="#444444", size=7)
        for number, panel in enumerate(panels):
            left = (number * _WIDTH + 0.55) / width
            axes = figure.add_axes((left, 0.75 / _HEIGHT, (_WIDTH - 0.75) / width, 1 - 1.35 / _HEIGHT))
            for line in panel.lines:
                look = methods.index(line.method)
                _draw(axes, line, colours[look], _MARKERS[look % len(_MARKERS)])
            _draw_linear(axes, panel)
            _finish(axes, panel.axis, value if number == 0 else "")
        handles = [
            Line2D([], [], label=method, color=colours[look], marker=_MARKERS[look % len(_MARKERS)], markersize=4)
            for look, method in enumerate(methods)
        ]
        handles.append(Line2D([], [], label="linear growth", color=GREY, linestyle="--", linewidth=0.9))
        figure.legend(handles=handles, loc="lower center", ncols=len(handles), frameon=False, fontsize=8)
        return as_png(figure)


def _draw(axes: Axes, line: Growth, colour: tuple[float, ...], marker: str) -> None:
    x, y = zip(*line.points, strict=True)
    axes.plot(x, y, color=colour, marker=marker, markersize=4, linewidth=1.4)
    axes.annotate(
        f"{line.slope:.2f}",
        (x[-1], y[-1]),
        xytext=(4, 0),
        textcoords="offset points",
        color=colour,
        size=7,
        va="center",
    )


def _draw_linear(axes: Axes, panel: GrowthPanel) -> None:
    """Through the last point of the slowest method, over the upper half of the axis."""
    points = max((line.points for line in panel.lines), key=lambda own: own[-1][1])
    (start, _), (end, top) = points[len(points) // 2], points[-1]
    axes.plot([start, end], [top * start / end * 1.6, top * 1.6], color=GREY, linestyle="--", linewidth=0.9)


def _finish(axes: Axes, name: str, value: str) -> None:
    axes.set(xscale="log", yscale="log")
    axes.set_xlabel(name, size=8)
    axes.set_ylabel(value, size=8)
    axes.margins(x=0.12)
    axes.grid(color="#e4e4e4", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(colors=INK, labelsize=7, length=2.5)
