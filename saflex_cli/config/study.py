"""A study: curves of cells, each cell an ordinary recipe made from a base recipe and some overrides."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from saflex_cli.config.document import Document, Location, dotted, parse_path, read_document, shown_path
from saflex_cli.config.load import load_recipe, validate
from saflex_cli.config.metrics import Metric, printed
from saflex_cli.config.schema import Recipe
from saflex_cli.config.study_config import ChoiceConfig, StudyConfig
from saflex_cli.errors import RecipeError

Epoch = Literal["last", "selected"]
CURVES = "curves"
"""The key that tells a study file from a recipe."""

_NAMELESS = "needs a letter or digit: it is part of the runs' names"


@dataclass(frozen=True)
class Cell:
    """One place on the axis of a curve."""

    at: float | str
    recipe: Recipe
    """Named `study/<study>/<curve>/<at>`."""
    changes: tuple[str, ...] = ()
    """What was changed in the curve's recipe, as for `--set`."""

    @property
    def name(self) -> str:
        """`<curve>/<at>`, as slugs."""
        return "/".join(self.recipe.name.split("/")[2:])

    @property
    def text(self) -> str:
        """Its place on the axis, as tables print it."""
        return self.at if isinstance(self.at, str) else _number(self.at)


@dataclass(frozen=True)
class Curve:
    """One base recipe, from cell to cell; one metric."""

    title: str
    axis: str
    """What `at` is."""
    cells: tuple[Cell, ...]

    @property
    def slug(self) -> str:
        """Its part in the names of its cells."""
        return slug(self.title)

    @property
    def metric(self) -> Metric:
        """What its recipes select by; accuracy where that is the loss."""
        return printed(self.cells[0].recipe.selection.metric)


@dataclass(frozen=True)
class Study:
    """A study file with all its recipes."""

    name: str
    title: str
    question: str
    axis: str
    epoch: Epoch
    opponents: tuple[str, ...]
    focus: tuple[str, ...]
    """Methods that tables and figure single out; empty if they show all alike."""
    drawn: tuple[str, ...]
    """The methods in the figure."""
    choice: ChoiceConfig | None
    """The rule by which it chooses a default."""
    facts: bool
    """Whether tables say what SAFLEX did."""
    titles: dict[str, str]
    curves: tuple[Curve, ...]
    source: str
    """The path of the study file, as commands and files show it."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Of all curves, in order."""
        return tuple(cell for curve in self.curves for cell in curve.cells)

    @property
    def methods(self) -> tuple[str, ...]:
        """Every label that occurs, in the order of first occurrence."""
        return tuple(dict.fromkeys(method.label for cell in self.cells for method in cell.recipe.methods))

    @property
    def in_figure(self) -> tuple[str, ...]:
        """The methods that the figure shows, in order."""
        chosen = self.drawn or ((*self.focus, *self.opponents) if self.focus else self.methods)
        return tuple(label for label in self.methods if label in chosen)

    @property
    def challengers(self) -> tuple[str, ...]:
        """The methods that are compared with the opponents."""
        return tuple(label for label in self.methods if label not in self.opponents)

    @property
    def runs(self) -> int:
        """Reports of the whole study, those that cells share counted in each of them."""
        return sum(len(cell.recipe.seeds_of(method)) for cell in self.cells for method in cell.recipe.methods)

    def title_of(self, label: str) -> str:
        """What tables and figures call a method."""
        return self.titles.get(label, label)


def load_study(path: Path) -> Study:
    """Read a study file and expand its cells into recipes.

    Raises:
        RecipeError: names file, line and dotted path of the study file, and what is wrong there.
    """
    document = read_document(path)
    if CURVES not in document.content:
        raise RecipeError(f"{path}: is no study: it has no key {CURVES}; a recipe runs with `saflex train {path}`")
    config = validate(document.content, StudyConfig, document)
    _check_places(config, document)
    study = Study(
        name=config.name,
        title=config.title,
        question=" ".join(config.question.split()),
        axis=config.axis,
        epoch=config.epoch,
        opponents=config.opponents,
        focus=config.focus,
        drawn=config.drawn,
        choice=config.choice,
        facts=config.facts,
        titles=config.titles,
        curves=tuple(_curve(config, index, document) for index in range(len(config.curves))),
        source=shown_path(path),
    )
    _check_methods(study, document)
    return study


def slug(text: str) -> str:
    """Lower-case ASCII letters, digits, `_` and `-`: what may stand in a recipe's name."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")


def _number(value: float) -> str:
    return repr(value).removesuffix(".0")


def _at_slug(at: float | str) -> str:
    if isinstance(at, str):
        return slug(at)
    sign = "minus-" if at < 0 else ""
    return sign + _number(abs(at)).replace(".", "_").replace("+", "")


def _curve(config: StudyConfig, index: int, document: Document) -> Curve:
    given = config.curves[index]
    path, at = document.path.parent / given.recipe, (CURVES, index, "recipe")
    if not path.is_file():
        raise _error(document, at, f"there is no {path}; write the path relative to the study file")
    if given.methods and not config.methods:
        raise _error(document, (CURVES, index, "methods"), "come beside those of the study, which has none; add them")
    replaced: dict[str, Any] = {key: document.content[key] for key in ("methods", "seeds") if getattr(config, key)}
    if given.methods:
        replaced["methods"] = [*replaced["methods"], *document.content[CURVES][index]["methods"]]
    cells = []
    for number, cell in enumerate(given.cells):
        location = (CURVES, index, "cells", number)
        name = f"study/{config.name}/{slug(given.title)}/{_at_slug(cell.at)}"
        for place, override in enumerate(cell.set):
            if parse_path(override.partition("=")[0])[:1] == ("name",):
                raise _error(document, (*location, "set", place), "the study names its runs; leave it out")
        try:
            recipe = load_recipe(path, cell.set, replaced | {"name": name})
        except RecipeError as error:
            raise located(error, cell.set, location, document) from error
        cells.append(Cell(cell.at, recipe, cell.set))
    curve = Curve(given.title, given.axis or config.axis, tuple(cells))
    if len({printed(cell.recipe.selection.metric) for cell in curve.cells}) > 1:
        raise _error(document, (CURVES, index), "its cells select by different metrics; make them two curves")
    return curve


def located(error: RecipeError, overrides: tuple[str, ...], location: Location, document: Document) -> RecipeError:
    """Where in the study file a cell's recipe went wrong: at the override that says so, or at the cell."""

    def said() -> Iterator[str]:
        for line in str(error).splitlines():
            own = [place for place, override in enumerate(overrides) if line.startswith(f"--set {override}:")]
            at = (*location, "set", own[0]) if own else location
            yield f"{document.where(at)}: {dotted(at)}: {line.removeprefix('--set ')}"

    return RecipeError("\n".join(said()))


def _check_places(config: StudyConfig, document: Document) -> None:
    """One kind of axis, and a name of its own for every cell: two with one name would write the same reports."""
    seen: dict[str, str] = {}
    is_text = isinstance(config.curves[0].cells[0].at, str)
    for index, curve in enumerate(config.curves):
        if not slug(curve.title):
            raise _error(document, (CURVES, index, "title"), _NAMELESS)
        for number, cell in enumerate(curve.cells):
            place: Location = (CURVES, index, "cells", number, "at")
            if isinstance(cell.at, str) != is_text:
                raise _error(document, place, f"is {cell.at!r}, not a {'text' if is_text else 'number'} as elsewhere")
            name = f"{slug(curve.title)}/{_at_slug(cell.at)}"
            if name.endswith("/"):
                raise _error(document, place, _NAMELESS)
            if name in seen:
                raise _error(document, place, f"{name} is also the name of {seen[name]}; change one")
            seen[name] = dotted(place)


def _check_methods(study: Study, document: Document) -> None:
    there = f"no such method; there are: {', '.join(study.methods)}"
    for key in ("opponents", "focus", "drawn"):
        labels: tuple[str, ...] = getattr(study, key)
        for index, label in enumerate(labels):
            if label in labels[:index]:
                raise _error(document, (key, index), f"{label} is listed twice; leave one out")
            if label not in study.methods:
                raise _error(document, (key, index), f"{label}: {there}")
            if key == "focus" and label in study.opponents:
                raise _error(document, (key, index), f"{label} is an opponent; leave it out here or there")
    for index, label in enumerate(study.choice.not_below if study.choice else ()):
        if label not in study.opponents:
            raise _error(document, ("choice", "not_below", index), f"{label} is no opponent; add it to opponents")
    if not study.challengers:
        raise _error(document, ("opponents",), "every method is an opponent; nothing is left to compare with them")
    for label in study.titles:
        if label not in study.methods:
            raise _error(document, ("titles", label), there)


def _error(document: Document, location: Location, what: str) -> RecipeError:
    return RecipeError(f"{document.where(location)}: {dotted(location)}: {what}")
