"""From a recipe's method to the step of all seeds, and what cannot be trained together."""

from collections.abc import Sequence

from saflex_cli.augment.batch import Upstream
from saflex_cli.config.components import Mlp
from saflex_cli.config.schema import LpA3, MethodConfig, NoAug, Recipe, SaflexMethod, Train
from saflex_cli.config.schema import Upstream as UpstreamMethod
from saflex_cli.data.splits import Splits
from saflex_cli.errors import RecipeError
from saflex_cli.settings import Settings
from saflex_cli.train.outer import OuterBatches, outer_size, outer_split
from saflex_cli.train.together.network import Network
from saflex_cli.train.together.steps import (
    Augmented,
    OuterBatchOfSeeds,
    StackedPlainStep,
    StackedSaflexStep,
    StackedStep,
    StackedUpstreamStep,
    StackedWithCleanBatch,
)

_APART = (
    "precondition",
    "outer_balance",
    "outer_momentum",
    "head_features",
    "outer_steps",
    "weight_margin",
    "warm_up",
    "label_retention_end",
)
"""Fields of `Settings` that the stacked step does not know."""


def refuse_apart(recipe: Recipe, method: MethodConfig) -> None:
    """Check that the seeds of a method can be trained together.

    Raises:
        RecipeError: names what stands against it.
    """
    reason = _reason(recipe, method)
    if reason is not None:
        raise RecipeError(
            f"{recipe.name}: the seeds of {method.label} cannot be trained together: {reason}; train them one by one"
        )


def _reason(recipe: Recipe, method: MethodConfig) -> str | None:
    if not isinstance(recipe.model, Mlp):
        return f"the model is {recipe.model.name}, and only mlp can"
    if recipe.model.batch_norm:
        return "the model has batch_norm"
    if not method.uses_network:
        return f"{method.name} trains no network"
    if recipe.pool is not None:
        return "the recipe has a pool"
    for name in ("precision", "channels_last", "compile", "updates_per_epoch"):
        value = getattr(recipe.train, name)
        if value != Train.model_fields[name].default:
            return f"train.{name} is {value}"
    if isinstance(method, LpA3):
        return f"the method is {method.name}"
    if isinstance(method, SaflexMethod):
        if method.outer in {"batch", "clean_pass", "fold"}:
            return f"outer is {method.outer}"
        settings = method.resolved_settings()
        changed = [name for name in _APART if getattr(settings, name) != getattr(Settings(), name)]
        return f"{changed[0]} is set" if changed else None
    return None


def build_stacked_step(
    method: MethodConfig,
    *,
    network: Network,
    splits: Sequence[Splits],
    upstreams: Sequence[Upstream | None],
    batch_size: int,
) -> StackedStep:
    """The step of a method that `refuse_apart` lets pass, over the data of all seeds.

    Raises:
        RecipeError: if the method needs an upstream augmentation and there is none.
        DataError: if an explicit outer batch is larger than its set.
    """
    if isinstance(method, NoAug):
        return StackedPlainStep(network)
    given = [upstream for upstream in upstreams if upstream is not None]
    if len(given) < len(upstreams):
        raise RecipeError(f"method {method.label} needs an augmentation; add `augmenter` to the recipe")
    augmented = Augmented(given, network.streams)
    step: StackedUpstreamStep | StackedSaflexStep
    match method:
        case UpstreamMethod():
            step = StackedUpstreamStep(network, augmented, method.normalise)
        case SaflexMethod():
            outer = [
                OuterBatches(outer_split(method, own), outer_size(method, own, batch_size), streams)
                for own, streams in zip(splits, network.streams, strict=True)
            ]
            batches = OuterBatchOfSeeds(outer, splits[0].classes)
            step = StackedSaflexStep(method.resolved_settings(), network, augmented, batches)
        case _:
            raise RecipeError(f"method {method.label} has no step for several seeds; train them one by one")
    return StackedWithCleanBatch(step) if method.clean_batch else step
