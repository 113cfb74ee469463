"""What a training step of each method costs, measured in turns in one process."""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from saflex_cli.config.identity import config_hash
from saflex_cli.config.references import Reference
from saflex_cli.config.schema import Recipe
from saflex_cli.data.build import build_data
from saflex_cli.data.root import data_root
from saflex_cli.errors import RecipeError
from saflex_cli.experiment.costs.turns import in_turns, stepping
from saflex_cli.experiment.parts import Parts, build_parts
from saflex_cli.store.bench import Benchmark, MethodCost
from saflex_cli.store.report import Environment
from saflex_cli.train.provenance import environment, resolve_device

_WARM_UP = 3
"""Untimed steps of every method: memory is taken, kernels are chosen."""


def measure(
    recipe: Recipe,
    labels: Sequence[str],
    *,
    rounds: int,
    steps: int,
    root: Path | None = None,
    device: str = "auto",
    on_round: Callable[[int], None] = lambda _: None,
) -> Benchmark:
    """Train all methods from the start with the recipe's first seed, a few steps each in every round.

    What is timed is the whole training step with its data and augmentation, as in a run; not validation.

    Args:
        recipe: Whose methods are measured.
        labels: The methods; the first is the baseline.
        rounds: How often each has its turn.
        steps: Training steps per turn.
        root: Data root.
        device: `auto`, `cpu` or `cuda`.
        on_round: Called after every round with its number, from 1.

    Raises:
        SaflexError: for data or methods that cannot be used.
    """
    target, parts = resolve_device(device), _build(recipe, labels, root)
    with TemporaryDirectory() as scratch, torch.random.fork_rng():
        torch.manual_seed(recipe.seeds[0])
        fits = {label: part.fit(part.model(target), target, Path(scratch) / label) for label, part in parts.items()}
        turns = {label: stepping(fit) for label, fit in fits.items()}
        for turn in turns.values():
            turn(_WARM_UP)
        seconds = in_turns(turns, rounds=rounds, steps=steps, device=target, on_round=on_round)
    return Benchmark(
        recipe=recipe.name,
        data=recipe.data.model_dump(mode="json"),
        model=recipe.model.model_dump(mode="json"),
        train=recipe.train.model_dump(mode="json"),
        baseline=labels[0],
        steps=steps,
        costs=tuple(
            MethodCost(method=label, config_hash=config_hash(parts[label].config), seconds=seconds[label])
            for label in labels
        ),
        environment=Environment.model_validate(environment(target)),
    )


def _build(recipe: Recipe, labels: Sequence[str], root: Path | None) -> dict[str, Parts]:
    seed = recipe.seeds[0]
    splits = build_data(recipe.data, seed, data_root(root))
    parts = {label: build_parts(recipe, label, seed, root, splits=splits) for label in labels}
    for part in parts.values():
        if isinstance(part.method, Reference):
            raise RecipeError(
                f"method {part.method.label} is fitted as a whole, without training steps to time; choose others with "
                "--method and --baseline"
            )
        if part.method.uses_upstream and part.upstream is None:
            raise RecipeError(f"method {part.method.label} needs an augmentation; add the key augmenter")
    return parts
