"""What SAFLEX itself costs: variants made from one recipe, in turns in one process."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch
from torch import Tensor

from saflex_cli.config.schema import Recipe
from saflex_cli.data.build import build_data
from saflex_cli.data.root import data_root
from saflex_cli.data.splits import Splits
from saflex_cli.errors import RecipeError, SaflexError
from saflex_cli.experiment.costs.memory import peaks_of_processes, peaks_on_gpu
from saflex_cli.experiment.costs.turns import Turn, in_turns, stepping
from saflex_cli.experiment.costs.variants import PERIODS, make_variants
from saflex_cli.experiment.parts import Parts, build_parts
from saflex_cli.experiment.plain_loop import Augment, Data, plain_batches, plain_step
from saflex_cli.seeding import Streams
from saflex_cli.store.performance.files import Machine
from saflex_cli.store.performance.overhead import BASELINE, PLAIN, Overhead, Peak, Variant
from saflex_cli.train.acceleration import accelerate
from saflex_cli.train.optimizer import build_optimizer
from saflex_cli.train.provenance import environment, processor, resolve_device

CYCLE = max(PERIODS)
"""Steps after which every variant has done all that it does."""


@dataclass(frozen=True)
class Place:
    """Where steps are made."""

    device: torch.device
    scratch: Path
    root: Path | None = None


def measure_overhead(
    recipe: Recipe,
    *,
    rounds: int,
    steps: int,
    root: Path | None = None,
    device: str = "auto",
    repeats: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> Overhead:
    """Make the variants of a recipe, warm each up, and time some training steps of each in every round.

    Args:
        recipe: Whose data, model and augmentation are used; its own methods are not.
        rounds: How often each variant has its turn.
        steps: Training steps per turn; a multiple of `CYCLE`, so that every turn holds as many outer gradients.
        root: Data root.
        device: `auto`, `cpu` or `cuda`.
        repeats: Of the measurement of memory; 0 for none.
        tell: Called after every round, and after every repeat of the measurement of memory, with a word about it.

    Raises:
        SaflexError: for a recipe without augmentation, data that cannot be used, or an upstream that does not train.
    """
    if steps % CYCLE:
        raise RecipeError(f"steps must be a multiple of {CYCLE}, not {steps}: so often an outer gradient may be used")
    target, variants = resolve_device(device), make_variants(recipe)
    recipes, left_out = {**variants.recipes, PLAIN: variants.recipes[BASELINE]}, dict(variants.left_out)
    splits = build_data(recipe.data, recipe.seeds[0], data_root(root))
    with TemporaryDirectory() as scratch, torch.random.fork_rng():
        place = Place(target, Path(scratch), root)
        torch.manual_seed(recipe.seeds[0])
        turns = _warm(recipes, place, splits, left_out)
        rounds_told = told(tell, "round", rounds)
        seconds = in_turns(turns, rounds=rounds, steps=steps, device=target, on_round=rounds_told)
        memory = _memory({name: recipes[name] for name in turns}, place, splits, repeats, told(tell, "memory", repeats))
    variants_measured = tuple(
        Variant(
            name=name,
            method=None if name == PLAIN else recipes[name].methods[0].model_dump(mode="json"),
            batch_size=recipes[name].train.batch_size,
            seconds=own,
            memory=memory.get(name),
        )
        for name, own in seconds.items()
    )
    kind: Literal["cuda", "process"] = "cuda" if target.type == "cuda" else "process"
    return _record(recipe, steps, variants_measured, left_out, kind if memory else None, target)


def make_turn(name: str, recipe: Recipe, place: Place, splits: Splits | None = None) -> Turn:
    """What makes the steps of one variant.

    Raises:
        SaflexError: if it cannot be on this recipe.
    """
    parts = build_parts(recipe, recipe.methods[0].label, recipe.seeds[0], place.root, splits=splits)
    samples, size = len(parts.splits.train), recipe.train.batch_size
    if samples < size:
        raise RecipeError(f"{samples} training samples make no batch of {size}")
    if name == PLAIN:
        return _plain_turn(parts, place.device)
    return stepping(parts.fit(parts.model(place.device), place.device, place.scratch / name))


def plain_augment(parts: Parts, epoch: int) -> Augment:
    """The recipe's augmentation, as the loop by hand takes it."""
    if parts.upstream is None:
        raise RecipeError(f"{parts.recipe.name} has no augmenter; add one")
    augmented = parts.upstream.epoch(Streams(parts.seed), epoch)

    def augment(inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        batch = augmented(inputs, labels)
        return batch.inputs, batch.soft_labels, batch.sample_weights

    return augment


def _plain_turn(parts: Parts, device: torch.device) -> Turn:
    config = parts.recipe.train
    if config.precision != "float32":
        raise RecipeError(f"the plain loop computes in float32, not {config.precision}")
    model = parts.model(device)
    accelerate(model, config)
    optimizer, augment = build_optimizer(parts.recipe.optimizer, model), plain_augment(parts, 0)
    train = parts.splits.to(device).train

    def batches() -> Iterator[Data]:
        for number in count():
            order = Streams(parts.seed).generator("order", number)
            every = plain_batches((train.inputs, train.labels), config.batch_size, order)
            yield from (batch for batch in every if len(batch[1]) == config.batch_size)

    stream = batches()
    model.train()

    def turn(steps: int) -> None:
        for _ in range(steps):
            plain_step(model, optimizer, augment, *next(stream))

    return turn


def _warm(recipes: Mapping[str, Recipe], place: Place, splits: Splits, left_out: dict[str, str]) -> dict[str, Turn]:
    """Every variant after a few steps; what cannot be is put into `left_out` with the reason."""
    turns: dict[str, Turn] = {}
    for name, recipe in recipes.items():
        try:
            turn = make_turn(name, recipe, place, splits)
            turn(CYCLE)
        except SaflexError as error:
            if name == BASELINE:
                raise
            left_out[name] = str(error)
        else:
            turns[name] = turn
    return turns


def told(tell: Callable[[str], None], what: str, total: int) -> Callable[[int], None]:
    """Tells `what` has ended, by its number."""
    return lambda number: tell(f"{what} {number} of {total}")


def _memory(
    recipes: Mapping[str, Recipe], place: Place, splits: Splits, repeats: int, on_repeat: Callable[[int], None]
) -> dict[str, Peak]:
    if not repeats:
        return {}
    if place.device.type == "cpu":
        return peaks_of_processes(recipes, place.root, repeats=repeats, steps=CYCLE, on_repeat=on_repeat)
    made = {name: (lambda name=name: make_turn(name, recipes[name], place, splits)) for name in recipes}
    return peaks_on_gpu(made, place.device, repeats=repeats, steps=CYCLE, on_repeat=on_repeat)


def _record(
    recipe: Recipe,
    steps: int,
    variants: tuple[Variant, ...],
    left_out: dict[str, str],
    memory_of: Literal["cuda", "process"] | None,
    device: torch.device,
) -> Overhead:
    content = recipe.model_dump(mode="json")
    return Overhead(
        recipe=recipe.name,
        steps=steps,
        variants=variants,
        left_out=left_out,
        memory_of=memory_of,
        machine=Machine.model_validate(environment(device) | {"processor": processor()}),
        **{key: content[key] for key in ("data", "model", "augmenter", "optimizer", "train")},
    )
