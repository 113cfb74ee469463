"""Augmented images with their weights and labels, tile by tile."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle

from saflex_cli.figures.samples import Samples
from saflex_cli.figures.style import INK, as_png, blank, style, weight_colour
from saflex_cli.numpy_arrays import NDArray

COLUMNS = 8
ENTRIES = 3
"""Classes shown below an image."""
_WIDTH, _IMAGE, _ROW = 1.3, 1.14, 0.135
_MARGIN, _HEADER, _FOOTER = 0.18, 0.62, 0.24
_NAME, _BAR = 0.4, 0.48
_BAR_COLOUR = "#9db7cf"


@dataclass(frozen=True)
class Tile:
    """One sample."""

    image: NDArray[np.float64]
    """(C, H, W) in [0, 1]."""
    upstream: NDArray[np.float64]
    learned: NDArray[np.float64]
    weight: float


def draw_tiles(samples: Samples, title: str, subtitle: str) -> bytes:
    """A PNG with one tile per sample, in their order, row by row."""
    columns = min(COLUMNS, len(samples))
    entries = min(ENTRIES, len(samples.class_names))
    tile_height = _IMAGE + (entries + 1) * _ROW + 0.2
    width = max(columns, 6) * _WIDTH - (_WIDTH - _IMAGE) + 2 * _MARGIN
    height = _HEADER + -(-len(samples) // columns) * tile_height + _FOOTER
    with style():
        figure = blank(width, height)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height), autoscale_on=False)
        axes.set_axis_off()
        axes.text(_MARGIN, height - 0.24, title, size=10, weight="bold", va="center")
        axes.text(_MARGIN, height - 0.45, subtitle, va="center", color="#444444")
        for number in range(len(samples)):
            row, column = divmod(number, columns)
            tile = Tile(
                samples.augmented[number], samples.upstream[number], samples.learned[number], samples.weights[number]
            )
            left, top = _MARGIN + column * _WIDTH, height - _HEADER - row * tile_height
            _draw_tile(axes, tile, samples.class_names, left, top)
        legend = "bar: learned label   |   outline: upstream label   |   frame: weight, orange 0 to blue 1   |   "
        axes.text(_MARGIN, 0.14, legend + "corner and A → B: largest entry moved", size=7, va="center", color="#444444")
        return as_png(figure)


def _draw_tile(axes: Axes, tile: Tile, names: tuple[str, ...], left: float, top: float) -> None:
    colour = weight_colour(tile.weight)
    _draw_image(axes, tile.image, left, top)
    frame = Rectangle((left, top - _IMAGE), _IMAGE, _IMAGE, fill=False, edgecolor=colour, linewidth=2.6)
    axes.add_patch(frame)
    before, after = int(tile.upstream.argmax()), int(tile.learned.argmax())
    line = top - _IMAGE - 0.1
    axes.text(left, line, f"w {tile.weight:.2f}", color=colour, weight="bold", size=7.5, va="center")
    if before == after:
        axes.text(left + _IMAGE, line, shortened(names[before], 11), ha="right", size=7.5, va="center")
    else:
        right = left + _IMAGE
        corner = [(right, top), (right - 0.2, top), (right, top - 0.2)]
        axes.add_patch(Polygon(corner, facecolor=INK, edgecolor="white", linewidth=0.8))
        moved = f"{shortened(names[before], 4)} → {shortened(names[after], 4)}"
        axes.text(right, line, moved, ha="right", size=7, va="center", weight="bold")
    shown = np.argsort(-np.maximum(tile.learned, tile.upstream), kind="stable")[:ENTRIES]
    for row, entry in enumerate(shown, start=1):
        _draw_entry(axes, names[entry], tile.upstream[entry], tile.learned[entry], left, line - row * _ROW)


def _draw_entry(axes: Axes, name: str, upstream: float, learned: float, left: float, middle: float) -> None:
    """One class: its name, the learned probability as a bar, and the upstream one as an outline."""
    axes.text(left, middle, shortened(name, 6), size=6, va="center")
    start, height = left + _NAME, 0.085
    axes.add_patch(Rectangle((start, middle - height / 2), learned * _BAR, height, facecolor=_BAR_COLOUR, linewidth=0))
    if upstream:
        outline = Rectangle((start, middle - height / 2), upstream * _BAR, height, fill=False, linewidth=0.6)
        axes.add_patch(outline)
    axes.text(left + _IMAGE, middle, f"{learned:.2f}", size=6, va="center", ha="right")


def _draw_image(axes: Axes, image: NDArray[np.float64], left: float, top: float) -> None:
    """Within the tile's square, with its own aspect."""
    rows, columns = image.shape[1:]
    scale = _IMAGE / max(rows, columns)
    x, y = left + (_IMAGE - columns * scale) / 2, top - (_IMAGE - rows * scale) / 2
    pixels = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
    axes.imshow(
        np.clip(pixels, 0, 1),
        cmap="gray",
        vmin=0,
        vmax=1,
        extent=(x, x + columns * scale, y - rows * scale, y),
        aspect="auto",
        interpolation="nearest",
    )


def shortened(name: str, length: int) -> str:
    """At most so many characters."""
    return name if len(name) <= length else name[: length - 1] + "…"
