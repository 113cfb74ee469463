"""Stand-ins for a run, importable by child processes. What they do depends on the method's label and the seed."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from saflex_cli.config.schema import Recipe
from saflex_cli.errors import TrainingError
from saflex_cli.experiment import Places, Progress
from saflex_cli.store.report import DataFacts, Environment, Metrics, Report, Scores, Timing


def note_down(
    recipe: Recipe, label: str, seed: int, *, places: Places, on_progress: Callable[[Progress], None], **rest: Any
) -> Report:
    """Writes where it ran into results/<label>-<seed>.json; seed 13 fails, seed 9 waits, seed 66 is killed."""
    places.results.mkdir(parents=True, exist_ok=True)
    facts = {"pid": os.getpid(), "threads": torch.get_num_threads(), **rest}
    facts["ignores_interrupts"] = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    (places.results / f"{label}-{seed}.json").write_text(json.dumps(facts))
    on_progress(Progress(recipe.name, label, seed, epoch=1, epochs=3, steps_per_second=2.0))
    if seed == 13:
        raise TrainingError("loss is not finite")
    if seed == 14:
        raise ZeroDivisionError("unexpected")
    if seed == 66:
        os.kill(os.getpid(), signal.SIGKILL)
    if seed == 9:
        time.sleep(120)
    return make_report(recipe.name, label, seed)


def note_together(recipe: Recipe, label: str, seeds: list[int], **rest: Any) -> list[Report | BaseException]:
    """The same for several seeds, of which 13 fails by itself, and 14 takes all others with it."""
    ended: list[Report | BaseException] = []
    for seed in seeds:
        try:
            ended.append(note_down(recipe, label, seed, **rest))
        except TrainingError as error:
            ended.append(error)
    return ended


def noted(results: Path) -> dict[str, dict[str, Any]]:
    """What the runs have written, by label and seed."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(results.glob("*.json"))}


def make_report(recipe: str, label: str, seed: int) -> Report:
    """A report with made-up numbers."""
    return Report(
        recipe=recipe,
        method=label,
        seed=seed,
        config={},
        config_hash="0" * 16,
        data=DataFacts(train=1, val=1, test=1, classes=2, sha256="0" * 64),
        parameters=1,
        selected=None,
        last=Scores(epoch=3, val=None, test=Metrics(accuracy=0.5, auroc=0.5, loss=1.0)),
        saflex=None,
        timing=Timing(train_seconds=1.0, total_seconds=1.0, steps_per_second=1.0),
        environment=Environment(
            saflex="0", python="3", torch="2", device="cpu", threads=1, git_commit=None, git_dirty=None
        ),
    )
