"""What a study file may say: recipes, what is changed in them from cell to cell, and who is compared with whom."""

import math
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from saflex_cli.config.base import TITLE, Strict, Title
from saflex_cli.config.method_base import Seeds, Slug
from saflex_cli.config.schema import MethodConfig


def _on_axis(at: Any) -> Any:  # noqa: ANN401 - raw YAML
    is_number = isinstance(at, int | float) and not isinstance(at, bool) and math.isfinite(at)
    if not is_number and not (isinstance(at, str) and re.match(TITLE, at)):
        raise ValueError("should be a number, or one line of text without |")
    return float(at) if is_number else at


Position = Annotated[float | str, BeforeValidator(_on_axis)]
"""A number on the axis, or the name of a category."""


class CellConfig(Strict):
    """One place on the axis: the curve's recipe with something changed."""

    at: Position
    set: tuple[str, ...] = ()
    """`dotted.path=value`, as for `--set`; without any, the recipe as it is."""


class CurveConfig(Strict):
    """One recipe, from cell to cell."""

    title: Title
    """Also, as a slug, part of the names of its runs."""
    recipe: str
    """Path relative to the study file."""
    axis: Title | None = None
    """What `at` is on this curve; without it, what the study says."""
    methods: Annotated[tuple[MethodConfig, ...], Field(min_length=1)] | None = None
    """Beside the study's `methods`, on this curve alone."""
    cells: Annotated[tuple[CellConfig, ...], Field(min_length=1)]


class ChoiceConfig(Strict):
    """A rule by which the study chooses a default among its methods that use Π on the refined batch alone.

    Of those whose training step costs no more than `cost`, the one that is significantly below an opponent of
    `not_below` in the fewest cells, and of these the one with the lowest mean rank.
    """

    bench: str
    """The recipe whose measured steps (`saflex bench`) tell the cost."""
    cost: Annotated[float, Field(gt=0)]
    """The most that a step may cost, relative to the upstream's."""
    not_below: Annotated[tuple[Slug, ...], Field(min_length=1)]
    """Labels of opponents."""


class StudyConfig(Strict):
    """What a study file may say."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$", max_length=60)]
    """Name of the files in `results/studies/`, and part of the names of all runs."""
    title: Title
    question: str
    """What the study answers; printed above its tables."""
    axis: Title
    """What `at` is."""
    epoch: Literal["last", "selected"] = "last"
    """Which state is judged. Only `last` treats methods that train on train + val as it treats the others."""
    methods: Annotated[tuple[MethodConfig, ...], Field(min_length=1)] | None = None
    """In the place of the recipes' own."""
    seeds: Seeds | None = None
    """In the place of the recipes' own."""
    opponents: Annotated[tuple[Slug, ...], Field(min_length=1)]
    """Labels of the methods that every other method is compared with."""
    focus: tuple[Slug, ...] = ()
    """Labels of methods that tables and figure single out: differences to each opponent are printed for them alone (the
    CSV has all of them), and the figure shows them and the opponents. Without it, everything is printed."""
    drawn: tuple[Slug, ...] = ()
    """Labels of the methods in the figure, where those would be too many."""
    choice: ChoiceConfig | None = None
    """How the study chooses a default; without it, it chooses none."""
    facts: bool = False
    """Print what SAFLEX did, too: weights and labels."""
    titles: dict[Slug, Title] = Field(default={})
    """What tables and figures call a method, by label."""
    curves: Annotated[tuple[CurveConfig, ...], Field(min_length=1)]
