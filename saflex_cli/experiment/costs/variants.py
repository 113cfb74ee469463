"""What the costs of SAFLEX are measured with: variants made from a recipe's data, model and augmentation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, get_args

from pydantic import ValidationError

from saflex_cli.config.schema import Recipe, SaflexMethod
from saflex_cli.errors import RecipeError
from saflex_cli.store.performance.overhead import BASELINE, CLEAN

DOUBLE = "upstream_double"
PERIODS = (1, 4)
"""Steps for which one outer gradient is used."""
FREE = "clean_pass"
"""Of `outer`: the outer gradient comes from the clean batch's own training pass."""
_UPDATES = 1_000_000
"""An epoch that no measurement reaches the end of: what an epoch begins with is no cost of a step."""


@dataclass(frozen=True)
class Variants:
    """Recipes of one method each, by the name of the variant."""

    recipes: Mapping[str, Recipe]
    left_out: Mapping[str, str]
    """What cannot be, with the reason."""


def make_variants(recipe: Recipe) -> Variants:
    """The variants of a recipe; `upstream` comes first.

    Trusted samples come from the training set, which always holds a batch; a step costs the same for any.

    Raises:
        RecipeError: if the recipe has no augmentation.
    """
    if recipe.augmenter is None:
        raise RecipeError(f"{recipe.name} has no augmenter, and the costs of SAFLEX are measured on one; add augmenter")
    batch = recipe.train.batch_size
    recipes: dict[str, Recipe] = {}
    left_out: dict[str, str] = {}
    for name, method in _methods(batch):
        size = 2 * batch if name == DOUBLE else batch
        try:
            recipes[name] = _with(recipe, method | {"label": name}, size)
        except ValidationError as error:
            left_out[name] = error.errors()[0]["msg"].removeprefix("Value error, ")
    if not has_clean_pass():
        left_out[FREE] = "this version of saflex has no `outer: clean_pass`"
    return Variants(recipes, left_out)


def has_clean_pass() -> bool:
    """Whether the schema knows the free variant."""
    return FREE in get_args(SaflexMethod.model_fields["outer"].annotation)


def variant_name(scope: str, share: int, every: int) -> str:
    """Such as `head_b4_k1`: scope `head`, an outer batch of B/4, a new outer gradient in every step."""
    return f"{scope}_b{share if share > 1 else ''}_k{every}"


def _methods(batch: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and methods, as a recipe says them."""
    yield BASELINE, {"name": "upstream"}
    yield DOUBLE, {"name": "upstream"}
    yield CLEAN, {"name": "upstream", "clean_batch": True}
    yield "no_aug", {"name": "no_aug"}
    for scope, share, every in product(("head", "all"), (1, 4), PERIODS):
        size = {"outer": "train", "outer_batch_size": max(1, batch // share), "outer_every": every}
        yield variant_name(scope, share, every), {"name": "saflex", "preset": "proximal", "scope": scope, **size}
    if has_clean_pass():
        yield FREE, {"name": "saflex", "preset": "proximal", "scope": "head", "outer": FREE, "clean_batch": True}


def _with(recipe: Recipe, method: dict[str, Any], batch_size: int) -> Recipe:
    """The recipe with one method, and an epoch without end."""
    content = recipe.model_dump()
    content["train"] |= {"batch_size": batch_size, "updates_per_epoch": _UPDATES}
    return Recipe.model_validate(content | {"methods": (method,)})
