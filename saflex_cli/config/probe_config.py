"""What a probe file may say: what is measured, when, and in the training of which recipes."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from saflex_cli.config.base import Positive, Strict, Title
from saflex_cli.config.method_base import Seeds, Slug, all_different
from saflex_cli.config.schema import MethodConfig


def _ascending(numbers: tuple[Any, ...]) -> tuple[Any, ...]:
    if numbers != tuple(sorted(set(numbers))):
        raise ValueError("should be in ascending order, each once")
    return numbers


Epochs = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1), AfterValidator(_ascending)]
"""Epochs trained when something is measured; 0 is before training."""

Rate = Annotated[float, Field(gt=0)]


class Knowledge(Strict):
    """How well scores tell wrongly from rightly labelled samples of the recipe's pool, and what becomes of both."""

    measure: Literal["knowledge"]
    epochs: Epochs
    folds: Annotated[int, Field(ge=2)] = 5
    """Parts of the pool, each predicted by a logistic regression fitted on the others, for confident learning."""


class Decrease(Strict):
    """How much of the outer loss one step of gradient descent takes away, beside the best weights and labels."""

    measure: Literal["decrease"]
    epochs: Epochs
    rates: Annotated[tuple[Rate, ...], Field(min_length=1), AfterValidator(_ascending)]
    """Step sizes α."""
    batch: Annotated[int, Field(ge=2)] = 50
    """Augmented samples in the step."""
    iterations: Positive = 400
    """Of Adam, in the search for the best weights and labels."""


Measure = Annotated[Knowledge | Decrease, Field(discriminator="measure")]


class CaseConfig(Strict):
    """One recipe, changed or as it is."""

    title: Title
    """Also, as a slug, part of the names of its runs."""
    recipe: str
    """Path relative to the probe file."""
    set: tuple[str, ...] = ()
    """`dotted.path=value`, as for `--set`."""


class ProbeConfig(Strict):
    """What a probe file may say."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$", max_length=60)]
    """Name of the files in `results/probes/`, and part of the names of all runs."""
    title: Title
    question: str
    """What the probe answers; printed above its tables."""
    probe: Measure
    """The key that tells a probe file from a recipe and from a study."""
    methods: Annotated[tuple[MethodConfig, ...], Field(min_length=1), AfterValidator(all_different)] | None = None
    """What is trained, in the place of the recipes' own."""
    seeds: Seeds | None = None
    """In the place of the recipes' own."""
    titles: dict[Slug, Title] = Field(default={})
    """What tables and figures call a trained method, by label."""
    cases: Annotated[tuple[CaseConfig, ...], Field(min_length=1)]
