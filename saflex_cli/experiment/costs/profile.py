"""Where the time of a training step goes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from saflex_cli.config.references import Reference
from saflex_cli.config.schema import Recipe
from saflex_cli.core.sections import observed, section
from saflex_cli.errors import RecipeError, ResultsError
from saflex_cli.experiment.costs.turns import Turn, endless, timed, wait
from saflex_cli.experiment.parts import build_parts
from saflex_cli.train.loop import Fit, Tally
from saflex_cli.train.provenance import resolve_device

SECTIONS = ("loader", "augmentation", "forward", "outer", "solve", "backward", "optimizer")
REST = "rest"
_WARM_UP = 4


@dataclass(frozen=True)
class Operation:
    """One of torch's operations, without those that it calls."""

    name: str
    calls: float
    """Per step."""
    seconds: float
    """Per step; on the GPU where there is one."""


@dataclass(frozen=True)
class Profile:
    """Seconds per training step."""

    total: float
    sections: dict[str, float]
    """In the order of `SECTIONS`, then `REST`: what belongs to none, the loss among it."""
    operations: tuple[Operation, ...]
    """Those that take longest, by torch's profiler, which slows small ones down."""


class Stopwatch:
    """Seconds by section. A section within another one is part of that: the pass of the outer samples is outer."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds: dict[str, float] = dict.fromkeys(SECTIONS, 0.0)
        self._inside = False

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Surround one section."""
        if self._inside:
            yield
            return
        self._inside = True
        wait(self.device)
        started = time.perf_counter()
        try:
            yield
            wait(self.device)
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
        finally:
            self._inside = False


def measure_profile(
    recipe: Recipe,
    label: str,
    *,
    steps: int,
    root: Path | None = None,
    device: str = "auto",
    trace: Path | None = None,
    operations: int = 12,
) -> Profile:
    """Train some steps twice after a warm-up: with a stopwatch around every section, then under torch's profiler.

    Args:
        recipe: Whose method is measured.
        label: The method.
        steps: Training steps of either pass.
        root: Data root.
        device: `auto`, `cpu` or `cuda`.
        trace: Where to write the profiler's steps for Chrome's viewer.
        operations: How many of the slowest are kept.

    Raises:
        SaflexError: for data or methods that cannot be used, or a trace that cannot be written.
    """
    target = resolve_device(device)
    parts = build_parts(recipe, label, recipe.seeds[0], root)
    if isinstance(parts.method, Reference):
        raise RecipeError(f"method {label} is fitted as a whole, without training steps to profile; name another one")
    with TemporaryDirectory() as scratch, torch.random.fork_rng():
        torch.manual_seed(recipe.seeds[0])
        turn = _watched(parts.fit(parts.model(target), target, Path(scratch) / "checkpoint"))
        turn(_WARM_UP)
        watch = Stopwatch(target)
        with observed(watch):
            total = timed(turn, steps, target)
        slowest = _operations(turn, steps, target, trace)[:operations]
    sections = {name: seconds / steps for name, seconds in watch.seconds.items()}
    sections[REST] = max(0.0, total / steps - sum(sections.values()))
    return Profile(total / steps, sections, tuple(slowest))


def _watched(fit: Fit) -> Turn:
    """Training steps, of which the drawing of a batch is a section."""
    stream, tally = endless(fit), Tally()

    def turn(steps: int) -> None:
        for _ in range(steps):
            with section("loader"):
                batch = next(stream)
            tally.add(fit.train_batch(*batch), len(batch[1]))

    return turn


def _operations(turn: Turn, steps: int, device: torch.device, trace: Path | None) -> list[Operation]:
    on_gpu = device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with profile(activities=activities) as profiler, observed(record_function):
        turn(steps)
        wait(device)
    if trace is not None:
        _write_trace(trace, profiler.export_chrome_trace)
    found = [
        Operation(
            event.key,
            event.count / steps,
            (event.self_device_time_total if on_gpu else event.self_cpu_time_total) / 1e6 / steps,
        )
        for event in profiler.key_averages()
        if event.key not in SECTIONS
    ]
    return sorted(found, key=lambda operation: -operation.seconds)


def _write_trace(path: Path, export: Callable[[str], None]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        export(str(path))
    except (OSError, RuntimeError) as error:
        raise ResultsError(f"{path}: cannot be written; check space and permissions") from error
