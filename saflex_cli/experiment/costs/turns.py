"""Things timed in turns in one process, so that what else the machine does meets all of them alike."""

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count

import torch

from saflex_cli.errors import RecipeError
from saflex_cli.train.loop import Batch, Fit, Tally

Turn = Callable[[int], None]
"""Makes so many steps."""


def in_turns(
    turns: Mapping[str, Turn],
    *,
    rounds: int,
    steps: int,
    device: torch.device,
    on_round: Callable[[int], None] = lambda _: None,
) -> dict[str, tuple[float, ...]]:
    """Seconds per step of every turn, one value per round; each round starts with another one."""
    seconds: dict[str, list[float]] = {label: [] for label in turns}
    labels = list(turns)
    for number in range(rounds):
        first = number % len(labels)
        for label in labels[first:] + labels[:first]:
            seconds[label].append(timed(turns[label], steps, device) / steps)
        on_round(number + 1)
    return {label: tuple(own) for label, own in seconds.items()}


def timed(turn: Turn, steps: int, device: torch.device) -> float:
    """Seconds of one turn, until the device has done its work."""
    wait(device)
    started = time.perf_counter()
    turn(steps)
    wait(device)
    return time.perf_counter() - started


def wait(device: torch.device) -> None:
    """Until the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def stepping(fit: Fit) -> Turn:
    """Training steps as the loop makes them: batch, augmentation, update, and the sums of the curve."""
    stream, tally = endless(fit), Tally()

    def turn(steps: int) -> None:
        for _ in range(steps):
            batch = next(stream)
            tally.add(fit.train_batch(*batch), len(batch[1]))

    return turn


def endless(fit: Fit) -> Iterator[Batch]:
    """Full batches of one epoch after the other; a smaller last one would blur the time of a step."""
    train, size = fit.recipe.train, min(fit.recipe.train.batch_size, len(fit.train))
    if size < train.batch_size and train.updates_per_epoch is None:
        raise RecipeError(f"train.batch_size is {train.batch_size}, but there are {size} training samples; lower it")
    for epoch in count():
        fit.step.begin_epoch(epoch)
        fit.model.train()
        yield from (batch for batch in fit.batches(epoch) if len(batch[1]) == size)
