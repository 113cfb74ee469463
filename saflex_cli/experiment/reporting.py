"""From a trained model to its report and its two checkpoints."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from saflex_cli.config.identity import config_hash
from saflex_cli.experiment.facts import label_facts
from saflex_cli.experiment.parts import Parts
from saflex_cli.experiment.places import Places, StateName, checkpoint_path
from saflex_cli.store.files import write_report
from saflex_cli.store.report import (
    Environment,
    EpochRow,
    Metrics,
    Report,
    SaflexFacts,
    Scores,
    Selected,
    Timing,
)
from saflex_cli.train.checkpoint import Checkpoint, write_checkpoint
from saflex_cli.train.evaluate import evaluate
from saflex_cli.train.loop import TrainingState
from saflex_cli.train.provenance import environment
from saflex_cli.train.step import State


@dataclass(frozen=True)
class Trained:
    """A model after its last epoch, and how it came there."""

    parts: Parts
    model: nn.Module
    state: TrainingState
    device: torch.device
    evaluating: Callable[[], AbstractContextManager[None]] = nullcontext
    """A context in which the last state is judged and kept."""


def finish(trained: Trained, places: Places, *, started: float, seeds_together: int | None = None) -> Report:
    """Evaluate the last and the selected state on the test data, once each, keep both, and write the report.

    Args:
        trained: Its model holds the last state; afterwards it holds the selected one.
        places: Where report and checkpoints go.
        started: `time.perf_counter()` at the beginning of the run.
        seeds_together: As `Timing` has it.

    Raises:
        SaflexError: if something cannot be written.
    """
    report = _report(trained, places, started, seeds_together)
    write_report(places.results, report, [EpochRow(**row) for row in trained.state.curve])
    _path(trained, places, "resume").unlink(missing_ok=True)
    return report


def _report(trained: Trained, places: Places, started: float, seeds_together: int | None) -> Report:
    parts, state = trained.parts, trained.state
    with trained.evaluating():
        val, test = _judged(trained)
        last = Scores(epoch=state.epoch, val=val, test=test)
        _keep(trained, places, "last", state.epoch)
    return Report(
        recipe=parts.recipe.name,
        method=parts.method.label,
        seed=parts.seed,
        config=parts.config,
        config_hash=config_hash(parts.config),
        data=parts.data_facts,
        parameters=sum(p.numel() for p in trained.model.parameters() if p.requires_grad),
        selected=_selected(trained, places),
        last=last,
        saflex=_saflex_facts(trained),
        timing=Timing(
            train_seconds=round(state.seconds, 3),
            total_seconds=round(time.perf_counter() - started, 3),
            steps_per_second=round(state.steps / max(state.seconds, 1e-9), 2),
            seeds_together=seeds_together,
        ),
        environment=Environment.model_validate(environment(trained.device)),
    )


def _selected(trained: Trained, places: Places) -> Selected | None:
    parts, state = trained.parts, trained.state
    if parts.trains_on_val:
        return None
    trained.model.load_state_dict(state.best)
    _keep(trained, places, "selected", state.best_epoch)
    selection = parts.recipe.selection
    val, test = _judged(trained)
    return Selected(epoch=state.best_epoch, metric=selection.metric, split=selection.split, val=val, test=test)


def _judged(trained: Trained) -> tuple[Metrics | None, Metrics]:
    parts, model = trained.parts, trained.model
    splits = parts.splits.to(trained.device)
    val = None if parts.trains_on_val else Metrics(**evaluate(model, splits.val))
    return val, Metrics(**evaluate(model, splits.test))


def _keep(trained: Trained, places: Places, name: StateName, epoch: int) -> None:
    """Save a finished state with the recipe in it, so that `saflex eval` needs nothing else."""
    parts, model = trained.parts, trained.model
    state: State = model.state_dict()
    facts = parts.identity | {"state": name, "epoch": epoch, "full_recipe": parts.recipe.model_dump(mode="json")}
    write_checkpoint(_path(trained, places, name), Checkpoint({"model": state}, facts))


def _path(trained: Trained, places: Places, name: StateName | Literal["resume"]) -> Path:
    parts = trained.parts
    return checkpoint_path(places, parts.recipe.name, parts.method.label, parts.seed, name)


def _saflex_facts(trained: Trained) -> SaflexFacts | None:
    if not trained.parts.refined:
        return None
    rows = trained.state.curve
    return SaflexFacts(
        mean_weight=sum(row["mean_weight"] for row in rows) / len(rows),
        label_change_rate=sum(row["label_change_rate"] for row in rows) / len(rows),
        dropped_steps=sum(row["dropped_steps"] for row in rows),
        steps=trained.state.steps,
        labels=label_facts(trained.state.labels),
    )
