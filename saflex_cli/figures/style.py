"""One look for all pictures, whatever the user's matplotlib settings are; equal input gives equal bytes."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from saflex_cli.numpy_arrays import NDArray

DOTS_PER_INCH = 110
INK = "#1a1a1a"
GREY = "#777777"
REJECTED, ACCEPTED = "#D55E00", "#0072B2"
"""Colours of weight 0 and weight 1."""
# Okabe and Ito's palette, which colour-blind readers can tell apart; repeated beyond seven classes.
_CLASSES = ("#009E73", "#CC79A7", "#E69F00", "#0072B2", "#D55E00", "#56B4E9", "#6b5b95")


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's defaults with ours on top, for everything drawn inside."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams["font.family"] = ["DejaVu Sans"]
        mpl.rcParams["font.size"] = 8
        mpl.rcParams["text.color"] = INK
        mpl.rcParams["text.parse_math"] = False  # a class may be called $5
        yield


def class_colours(classes: int) -> NDArray[np.float64]:
    """(K, 3) RGB."""
    return np.array([to_rgb(_CLASSES[k % len(_CLASSES)]) for k in range(classes)])


def weight_colour(weight: float) -> tuple[float, float, float]:
    """Between the colours of rejected (0) and accepted (1)."""
    low, high = np.array(to_rgb(REJECTED)), np.array(to_rgb(ACCEPTED))
    red, green, blue = low + min(max(weight, 0.0), 1.0) * (high - low)
    return float(red), float(green), float(blue)


def blank(width: float, height: float) -> Figure:
    """A white figure of this size in inches."""
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def as_png(figure: Figure) -> bytes:
    """The picture, without date or version in it."""
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()
