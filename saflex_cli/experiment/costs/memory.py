"""The most memory that training takes: on the GPU by torch's own count, else of a process that does nothing else."""

import gc
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from saflex_cli.config.schema import Recipe
from saflex_cli.errors import TrainingError
from saflex_cli.experiment.costs.turns import Turn, wait
from saflex_cli.store.performance.overhead import Peak

_CHILD = "saflex_cli.experiment.costs.child"


def peaks_on_gpu(
    made: Mapping[str, Callable[[], Turn]],
    device: torch.device,
    *,
    repeats: int,
    steps: int,
    on_repeat: Callable[[int], None] = lambda _: None,
) -> dict[str, Peak]:
    """What some training steps of each variant take on the GPU, beyond what lies there already."""
    found: dict[str, list[tuple[int, int]]] = {name: [] for name in made}
    for number in range(repeats):
        for name, make in made.items():
            gc.collect()
            torch.cuda.empty_cache()
            already = torch.cuda.memory_allocated(device)
            turn = make()
            before = torch.cuda.memory_allocated(device) - already
            torch.cuda.reset_peak_memory_stats(device)
            turn(steps)
            wait(device)
            found[name].append((torch.cuda.max_memory_allocated(device) - already, before))
            del turn
        on_repeat(number + 1)
    return _peaks(found)


def peaks_of_processes(
    recipes: Mapping[str, Recipe],
    root: Path | None,
    *,
    repeats: int,
    steps: int,
    on_repeat: Callable[[int], None] = lambda _: None,
) -> dict[str, Peak]:
    """What a process takes that makes some training steps of one variant, and nothing else; in turns.

    Raises:
        TrainingError: if such a process fails.
    """
    found: dict[str, list[tuple[int, int]]] = {name: [] for name in recipes}
    for number in range(repeats):
        for name, recipe in recipes.items():
            found[name].append(_peak_of_process(name, recipe, root, steps))
        on_repeat(number + 1)
    return _peaks(found)


def _peak_of_process(name: str, recipe: Recipe, root: Path | None, steps: int) -> tuple[int, int]:
    job = {
        "name": name,
        "recipe": recipe.model_dump(mode="json"),
        "root": None if root is None else str(root),
        "steps": steps,
        "threads": torch.get_num_threads(),
    }
    done = subprocess.run(  # noqa: S603 - this interpreter, this package
        [sys.executable, "-m", _CHILD], input=json.dumps(job), capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise TrainingError(f"the process that measures the memory of {name} failed: {last[0]}")
    peak, before = json.loads(done.stdout.splitlines()[-1])
    return peak, before


def _peaks(found: Mapping[str, list[tuple[int, int]]]) -> dict[str, Peak]:
    return {
        name: Peak(peak=tuple(peak for peak, _ in own), before=tuple(before for _, before in own))
        for name, own in found.items()
    }
