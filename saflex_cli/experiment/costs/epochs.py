"""What whole epochs cost, in turns in one process; and whole runs of the upstream, beside the same run by hand."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from saflex_cli.config.identity import config_hash
from saflex_cli.config.references import Reference
from saflex_cli.config.schema import Recipe
from saflex_cli.data.build import build_data
from saflex_cli.data.root import data_root
from saflex_cli.errors import RecipeError
from saflex_cli.experiment.costs.overhead import plain_augment
from saflex_cli.experiment.costs.turns import Turn, in_turns, timed
from saflex_cli.experiment.parts import Parts, build_parts
from saflex_cli.experiment.plain_loop import plain_run
from saflex_cli.seeding import Streams
from saflex_cli.store.performance.epoch import BASELINE, EpochBenchmark, EpochCost, RunCost
from saflex_cli.store.performance.files import Machine
from saflex_cli.train.acceleration import accelerate
from saflex_cli.train.loop import Fit, Tally
from saflex_cli.train.optimizer import build_optimizer
from saflex_cli.train.provenance import environment, processor, resolve_device


def measure_epochs(
    recipe: Recipe,
    labels: Sequence[str],
    *,
    rounds: int,
    epochs: int = 1,
    run_epochs: int = 0,
    root: Path | None = None,
    device: str = "auto",
    on_round: Callable[[int], None] = lambda _: None,
) -> EpochBenchmark:
    """Train whole epochs of all methods in every round, after one untimed epoch of each.

    Args:
        recipe: Whose methods are measured.
        labels: The methods; `upstream` is among them.
        rounds: How often each has its turn.
        epochs: Of every turn.
        run_epochs: Of whole runs of the upstream, beside the same run by hand; 0 for none.
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
        turns = {label: _whole_epochs(fit) for label, fit in fits.items()}
        for turn in turns.values():
            turn(1)
        seconds = in_turns(turns, rounds=rounds, steps=epochs, device=target, on_round=on_round)
        run = _runs(recipe, root, Path(scratch), target, rounds, run_epochs) if run_epochs else None
    content = recipe.model_dump(mode="json")
    return EpochBenchmark(
        recipe=recipe.name,
        batches=sum(1 for _ in fits[BASELINE].batches(0)),
        epochs=epochs,
        costs=tuple(
            EpochCost(method=label, config_hash=config_hash(parts[label].config), seconds=own)
            for label, own in seconds.items()
        ),
        run=run,
        machine=Machine.model_validate(environment(target) | {"processor": processor()}),
        **{key: content[key] for key in ("data", "model", "train")},
        augmenter=content["augmenter"] or [],
    )


def _build(recipe: Recipe, labels: Sequence[str], root: Path | None) -> Mapping[str, Parts]:
    seed = recipe.seeds[0]
    splits = build_data(recipe.data, seed, data_root(root))
    parts = {label: build_parts(recipe, label, seed, root, splits=splits) for label in labels}
    for part in parts.values():
        if isinstance(part.method, Reference):
            raise RecipeError(f"method {part.method.label} is fitted as a whole, without epochs; name others")
    return parts


def _whole_epochs(fit: Fit) -> Turn:
    """Epochs as the loop makes them, without what comes after."""
    numbers = count()

    def turn(epochs: int) -> None:
        for _ in range(epochs):
            epoch, tally = next(numbers), Tally()
            fit.step.begin_epoch(epoch)
            fit.model.train()
            for batch in fit.batches(epoch):
                tally.add(fit.train_batch(*batch), len(batch[1]))
            tally.row(epoch + 1, refined=fit.refined)

    return turn


def _runs(
    recipe: Recipe, root: Path | None, scratch: Path, device: torch.device, rounds: int, epochs: int
) -> RunCost | None:
    """Whole runs of both loops from the start, which comes first in turns; None where the one by hand cannot do it."""
    if recipe.train.precision != "float32" or recipe.train.updates_per_epoch is not None:
        return None
    seconds: dict[str, list[float]] = {"program": [], "by_hand": []}
    for number in range(rounds + 1):
        length = epochs if number else 1  # the first ones are the warm-up
        short = recipe.model_copy(update={"train": recipe.train.model_copy(update={"epochs": length})})
        parts = build_parts(short, BASELINE, recipe.seeds[0], root)
        turns = {
            "program": _run_of_program(parts, device, scratch / f"run-{number}"),
            "by_hand": _run_by_hand(parts, device),
        }
        for name in list(turns)[:: 1 if number % 2 else -1]:
            taken = timed(turns[name], length, device)
            if number:
                seconds[name].append(taken)
    return RunCost(epochs=epochs, program=tuple(seconds["program"]), by_hand=tuple(seconds["by_hand"]))


def _run_of_program(parts: Parts, device: torch.device, checkpoint: Path) -> Turn:
    fit = parts.fit(parts.model(device), device, checkpoint)

    def turn(_: int) -> None:
        fit.run(lambda _: None)

    return turn


def _run_by_hand(parts: Parts, device: torch.device) -> Turn:
    model = parts.model(device)
    accelerate(model, parts.recipe.train)
    optimizer, streams = build_optimizer(parts.recipe.optimizer, model), Streams(parts.seed)
    there = parts.splits.to(device)

    def turn(epochs: int) -> None:
        plain_run(
            model,
            optimizer,
            (there.train.inputs, there.train.labels),
            (there.val.inputs, there.val.labels),
            epochs=epochs,
            batch_size=parts.recipe.train.batch_size,
            order=lambda epoch: streams.generator("order", epoch),
            augment=lambda epoch: plain_augment(parts, epoch),
        )

    return turn
