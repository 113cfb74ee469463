"""What all seeds of a method cost in one program, against the same runs one after the other."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from saflex_cli.config.identity import config_hash, find_method
from saflex_cli.config.schema import Recipe
from saflex_cli.errors import TrainingError
from saflex_cli.experiment.places import Places
from saflex_cli.experiment.run import run_one
from saflex_cli.experiment.together import run_together
from saflex_cli.store.bench import CellCost, TogetherBenchmark
from saflex_cli.store.report import Environment, Metrics, Report
from saflex_cli.train.provenance import environment, resolve_device
from saflex_cli.train.together.build import refuse_apart


def measure_together(
    recipe: Recipe,
    labels: Sequence[str],
    *,
    seeds: int,
    rounds: int,
    root: Path | None = None,
    device: str = "auto",
    on_turn: Callable[[str, int], None] = lambda _label, _round: None,
) -> TogetherBenchmark:
    """Make the runs of every method in both ways, in every round; which way comes first changes with the round.

    What is timed are whole runs as `saflex train` makes them, into a folder that is removed afterwards: reading the
    data, training, validation, checkpoints, reports.

    Args:
        recipe: Whose methods are measured.
        labels: The methods.
        seeds: How many; 0, 1, 2 and so on.
        rounds: How often every method has its turn.
        root: Data root.
        device: `auto`, `cpu` or `cuda`.
        on_turn: Called before every turn with the method and the round, from 1.

    Raises:
        SaflexError: for data or methods that cannot be used, or seeds that cannot be trained together.
    """
    for label in labels:
        refuse_apart(recipe, find_method(recipe, label))
    _warm_up(recipe, labels[0], root, device)
    turns: dict[str, list[_Turn]] = {label: [] for label in labels}
    for number in range(1, rounds + 1):
        for label in labels:
            on_turn(label, number)
            turns[label].append(_turn(recipe, label, seeds, root, device, together_first=number % 2 == 0))
    return TogetherBenchmark(
        recipe=recipe.name,
        data=recipe.data.model_dump(mode="json"),
        model=recipe.model.model_dump(mode="json"),
        train=recipe.train.model_dump(mode="json"),
        seeds=seeds,
        cells=tuple(
            CellCost(
                method=label,
                config_hash=config_hash(own[0].config),
                one_by_one=tuple(turn.one_by_one for turn in own),
                together=tuple(turn.together for turn in own),
                difference=max(turn.difference for turn in own),
            )
            for label, own in turns.items()
        ),
        environment=Environment.model_validate(environment(resolve_device(device))),
    )


@dataclass(frozen=True)
class _Turn:
    one_by_one: float
    together: float
    difference: float
    config: dict[str, Any]


def _turn(recipe: Recipe, label: str, seeds: int, root: Path | None, device: str, *, together_first: bool) -> _Turn:
    """One cell in both ways."""
    seconds: dict[bool, float] = {}
    reports: dict[bool, list[Report]] = {}
    for together in (together_first, not together_first):
        with TemporaryDirectory() as scratch:
            places = Places(Path(scratch) / "results", Path(scratch) / "runs", root)
            started = time.perf_counter()
            if together:
                ended = run_together(recipe, label, range(seeds), places=places, device=device)
            else:
                ended = [run_one(recipe, label, seed, places=places, device=device) for seed in range(seeds)]
            seconds[together] = time.perf_counter() - started
        reports[together] = list(map(_finished, ended))
    pairs = zip(reports[False], reports[True], strict=True)
    difference = max(_difference(alone, together) for alone, together in pairs)
    return _Turn(seconds[False], seconds[True], difference, reports[False][0].config)


def _warm_up(recipe: Recipe, label: str, root: Path | None, device: str) -> None:
    """One untimed epoch in both ways: libraries are loaded, kernels are chosen."""
    short = recipe.model_copy(update={"train": recipe.train.model_copy(update={"epochs": 1})})
    _turn(short, label, 2, root, device, together_first=False)


def _finished(ended: Report | TrainingError) -> Report:
    if isinstance(ended, TrainingError):
        raise ended
    return ended


def _difference(one: Report, other: Report) -> float:
    """The largest between the metrics of two reports of one run."""
    pairs = zip(_metrics(one), _metrics(other), strict=True)
    return max(abs(a - b) for first, second in pairs for a, b in zip(first, second, strict=True))


def _metrics(report: Report) -> list[tuple[float, float, float]]:
    states = [state for state in (report.last, report.selected) if state is not None]
    found: list[Metrics] = [metrics for state in states for metrics in (state.val, state.test) if metrics is not None]
    return [(metrics.accuracy, metrics.auroc, metrics.loss) for metrics in found]
