"""Augmented points in the plane, as the paper's Figure 2(b) draws them."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D

from saflex_cli.figures.samples import Plane, Samples
from saflex_cli.figures.style import GREY, INK, as_png, blank, class_colours, style

_SMALL, _LARGE = 20, 120
"""Areas of an augmented sample with a weight near 0 and of 1, in square points."""


def draw_points(samples: Samples, plane: Plane, title: str, subtitle: str) -> bytes:
    """A PNG: decision regions and trusted samples faintly, an arrow from every sample to its augmented one."""
    with style():
        figure = blank(6.8, 7.4)
        axes = figure.add_axes((0.03, 0.115, 0.94, 0.8))
        figure.text(0.03, 0.968, title, size=10, weight="bold", va="center")
        figure.text(0.03, 0.938, subtitle, va="center", color="#444444")
        _draw_regions(axes, plane)
        _draw_samples(axes, samples, gap=0.014 * (plane.extent[1] - plane.extent[0]))
        axes.set(xlim=plane.extent[:2], ylim=plane.extent[2:], xticks=[], yticks=[], aspect="equal")
        entries = _legend(samples.class_names)
        figure.legend(handles=entries, loc="lower center", ncols=3, frameon=False, fontsize=7.5)
        return as_png(figure)


def _draw_regions(axes: Axes, plane: Plane) -> None:
    """The model's probabilities as a tint, its decision boundaries as lines, and the trusted samples as dots."""
    colours = class_colours(plane.probabilities.shape[2])
    tint = 0.87 + 0.13 * (plane.probabilities @ colours)
    axes.imshow(tint, extent=plane.extent, origin="lower", interpolation="bilinear", aspect="equal")
    left, right, bottom, top = plane.extent
    rows, columns, classes = plane.probabilities.shape
    x, y = np.linspace(left, right, columns), np.linspace(bottom, top, rows)
    for k in range(classes):
        lead = plane.probabilities[..., k] - np.delete(plane.probabilities, k, axis=2).max(2)
        if lead.min() < 0 < lead.max():
            axes.contour(x, y, lead, levels=[0], colors="white", linewidths=1.2)
    x, y = plane.points.T
    axes.scatter(x, y, s=7, c=colours[plane.labels], alpha=0.45, linewidths=0)


def _draw_samples(axes: Axes, samples: Samples, gap: float) -> None:
    """Arrows end `gap` before their mark, so that their heads are seen."""
    colours = class_colours(len(samples.class_names))
    own, mixed = colours[samples.upstream.argmax(1)], np.clip(samples.learned @ colours, 0, 1)
    starts, moves = samples.clean.T, (samples.augmented - samples.clean).T
    moves = moves * (1 - gap / np.maximum(np.hypot(*moves), gap))
    axes.quiver(
        *starts,
        *moves,
        color=own,
        angles="xy",
        scale_units="xy",
        scale=1,
        width=0.0028,
        headwidth=5,
        alpha=0.85,
        zorder=3,
    )
    x, y = starts
    axes.scatter(x, y, s=42, c=own, edgecolors=INK, linewidths=0.9, zorder=4)
    kept = samples.weights > 0
    x, y = samples.augmented.T
    axes.scatter(
        x[~kept], y[~kept], s=75, marker="X", c="white", edgecolors=mixed[~kept].tolist(), linewidths=1.6, zorder=5
    )
    sizes = _SMALL + (_LARGE - _SMALL) * samples.weights[kept]
    axes.scatter(
        x[kept], y[kept], s=sizes, marker="D", c=mixed[kept], edgecolors="white", linewidths=1.0, alpha=0.95, zorder=5
    )


def _legend(names: tuple[str, ...]) -> list[Line2D]:
    colours = [to_hex(colour) for colour in class_colours(len(names))]
    return [
        *(_entry(f"class {name}", "s", 7.0, colour, "none") for name, colour in zip(names, colours, strict=True)),
        _entry("trusted sample", "o", 3.5, GREY, "none"),
        _entry("training sample", "o", 7.0, GREY, INK),
        _entry("augmented: size is weight, colour the learned label", "D", 8.0, GREY, "white"),
        _entry("augmented: weight 0", "X", 8.0, "white", GREY),
    ]


def _entry(label: str, marker: str, size: float, face: str, edge: str) -> Line2D:
    return Line2D(
        [], [], linestyle="", marker=marker, markersize=size, markerfacecolor=face, markeredgecolor=edge, label=label
    )
