"""Cost against batch size, classes and parameters of a made-up MLP: `results/bench/sweep.json`."""

import math
from pathlib import Path
from statistics import fmean, median
from typing import Annotated, Literal

from pydantic import Field

from saflex_cli.store.performance.files import Machine
from saflex_cli.store.report import Record

Axis = Literal["batch", "classes", "parameters"]
AXES: tuple[Axis, ...] = ("batch", "classes", "parameters")


class Point(Record):
    """One method at one place of one axis."""

    axis: Axis
    value: int
    """Samples of a batch, classes, or trainable parameters."""
    method: str
    seconds: tuple[float, ...]
    """Per step, one value per round."""


class Sweep(Record):
    """All methods at all places, in turns in one process place by place."""

    inputs: int
    width: int
    batch_size: int
    classes: int
    """Of the net and its batch, wherever the axis is another one."""
    steps: Annotated[int, Field(ge=1)]
    points: tuple[Point, ...]
    machine: Machine

    @property
    def methods(self) -> tuple[str, ...]:
        """In the order in which they were measured."""
        return tuple(dict.fromkeys(point.method for point in self.points))

    def curve(self, axis: Axis, method: str) -> list[tuple[int, float]]:
        """Places and median seconds of a step, in the order of the places."""
        own = [point for point in self.points if (point.axis, point.method) == (axis, method)]
        return sorted((point.value, median(point.seconds)) for point in own)

    def slope(self, axis: Axis, method: str) -> float:
        """Exponent of the growth of a step's time, fitted to the upper half of the places: 1 is linear.

        Below, what a step costs at any size hides the growth.
        """
        curve = self.curve(axis, method)
        return fitted_slope(curve[len(curve) // 2 - (len(curve) == 2) :])


def fitted_slope(curve: list[tuple[int, float]]) -> float:
    """Of the least-squares line through log-log points.

    Worked case: times 1, 4 and 16 at 1, 2 and 4 grow with the square, and the slope is 2.
    """
    x, y = ([math.log(pair[part]) for pair in curve] for part in (0, 1))
    middle_x, middle_y = fmean(x), fmean(y)
    across = sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y, strict=True))
    return across / sum((a - middle_x) ** 2 for a in x)


def sweep_path(results: Path) -> Path:
    """`results/bench/sweep.json`."""
    return results / "bench" / "sweep.json"
