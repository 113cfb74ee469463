"""A probe: measurements on states of ordinary training runs, each case an ordinary recipe with some overrides."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saflex_cli.config.document import Document, Location, dotted, parse_path, read_document, shown_path
from saflex_cli.config.load import load_recipe, validate
from saflex_cli.config.probe_config import Decrease, Knowledge, Measure, ProbeConfig
from saflex_cli.config.references import Reference
from saflex_cli.config.schema import Recipe
from saflex_cli.config.study import located, slug
from saflex_cli.errors import RecipeError

PROBE = "probe"
"""The key that tells a probe file from a recipe."""


@dataclass(frozen=True)
class Case:
    """One recipe whose runs are measured."""

    title: str
    recipe: Recipe
    """Named `probe/<probe>/<case>`."""
    changes: tuple[str, ...] = ()
    """What was changed in the file's recipe, as for `--set`."""


@dataclass(frozen=True)
class Probe:
    """A probe file with all its recipes."""

    name: str
    title: str
    question: str
    measure: Measure
    titles: dict[str, str]
    cases: tuple[Case, ...]
    source: str
    """The path of the probe file, as commands and files show it."""

    @property
    def runs(self) -> tuple[tuple[str, str, int], ...]:
        """Name of the recipe, label of the method, and seed of every run, in the order of the packed file."""
        return tuple(
            (case.recipe.name, method.label, seed)
            for case in self.cases
            for method in case.recipe.methods
            for seed in sorted(case.recipe.seeds_of(method))
        )

    def title_of(self, label: str) -> str:
        """What tables and figures call a trained method."""
        return self.titles.get(label, label)


def load_probe(path: Path) -> Probe:
    """Read a probe file and expand its cases into recipes.

    Raises:
        RecipeError: names file, line and dotted path of the probe file, and what is wrong there.
    """
    document = read_document(path)
    if PROBE not in document.content:
        raise RecipeError(f"{path}: is no probe: it has no key {PROBE}; see docs/probes.md")
    config = validate(document.content, ProbeConfig, document)
    cases = tuple(_case(config, index, document) for index in range(len(config.cases)))
    names = [case.recipe.name for case in cases]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise _error(document, ("cases", index, "title"), "another case has this name; change one")
    labels = {method.label for case in cases for method in case.recipe.methods}
    for label in config.titles:
        if label not in labels:
            raise _error(document, ("titles", label), f"no such method; there are: {', '.join(sorted(labels))}")
    question = " ".join(config.question.split())
    return Probe(config.name, config.title, question, config.probe, config.titles, cases, shown_path(path))


def _case(config: ProbeConfig, index: int, document: Document) -> Case:
    given, at = config.cases[index], ("cases", index)
    path = document.path.parent / given.recipe
    if not path.is_file():
        raise _error(document, (*at, "recipe"), f"there is no {path}; write the path relative to the probe file")
    if not slug(given.title):
        raise _error(document, (*at, "title"), "needs a letter or digit: it is part of the runs' names")
    for place, override in enumerate(given.set):
        if parse_path(override.partition("=")[0])[:1] == ("name",):
            raise _error(document, (*at, "set", place), "the probe names its runs; leave it out")
    replaced: dict[str, Any] = {key: document.content[key] for key in ("methods", "seeds") if getattr(config, key)}
    replaced["name"] = f"probe/{config.name}/{slug(given.title)}"
    try:
        recipe = load_recipe(path, given.set, replaced)
    except RecipeError as error:
        raise located(error, given.set, at, document) from error
    if problem := _misfit(config.probe, recipe):
        raise _error(document, at, problem)
    return Case(given.title, recipe, given.set)


def _misfit(measure: Measure, recipe: Recipe) -> str:
    """Why a recipe cannot be measured so; empty if it can."""
    if measure.epochs[-1] > recipe.train.epochs:
        return f"trains {recipe.train.epochs} epochs, and probe.epochs asks for {measure.epochs[-1]}; lower it"
    for method in recipe.methods:
        if isinstance(method, Reference):
            return f"method {method.label} is fitted as a whole and has no epochs; leave it out"
        if isinstance(measure, Decrease) and not method.uses_upstream:
            return f"method {method.label} has no augmented batch to measure; leave it out"
    if isinstance(measure, Knowledge) and not (recipe.pool and 0 < recipe.pool.wrong_labels < 1):
        return "needs a pool with wrong and right labels; add pool={size: …, wrong_labels: …} to set"
    return ""


def _error(document: Document, location: Location, what: str) -> RecipeError:
    return RecipeError(f"{document.where(location)}: {dotted(location)}: {what}")
