"""The one training loop: epochs, validation, selection, and checkpoints between epochs to resume from."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.optim import Optimizer

from saflex_cli.config.schema import Recipe, Selection
from saflex_cli.core.sections import section
from saflex_cli.data.splits import Split
from saflex_cli.errors import CheckpointError, DataError, TrainingError
from saflex_cli.seeding import Streams
from saflex_cli.train.acceleration import autocast
from saflex_cli.train.batch_norm import reestimated
from saflex_cli.train.checkpoint import (
    Checkpoint,
    optimizer_tensors,
    read_checkpoint,
    restore_optimizer,
    write_checkpoint,
)
from saflex_cli.train.evaluate import METRICS, evaluate
from saflex_cli.train.folds import Folds
from saflex_cli.train.optimizer import set_learning_rate
from saflex_cli.train.pace import Pace
from saflex_cli.train.step import State, Step, StepResult

Batch = tuple[Tensor, Int[Tensor, " batch"], Int[Tensor, " batch"]]
"""Inputs, labels, places in the split."""


@dataclass
class Tally:
    """Sums over steps, kept on the device until somebody asks."""

    samples: int = 0
    steps: int = 0
    loss: Tensor | float = 0.0
    weight: Tensor | float = 0.0
    changed: Tensor | int = 0
    dropped: Tensor | int = 0
    labels: Tensor | float = 0.0

    def add(self, result: StepResult, samples: int) -> None:
        """Count one step."""
        self.samples += samples
        self.steps += 1
        self.loss = self.loss + result.loss.detach() * samples
        if result.weight_sum is not None and result.changed_labels is not None and result.dropped is not None:
            self.weight = self.weight + result.weight_sum
            self.changed = self.changed + result.changed_labels
            self.dropped = self.dropped + result.dropped
        if result.label_sums is not None:
            self.labels = self.labels + result.label_sums

    def of(self, seed: int) -> "Tally":
        """The sums of one of several seeds that are trained together, by its place."""
        sums: dict[str, Any] = {
            name: sum_[seed] if isinstance(sum_, Tensor) else sum_ for name, sum_ in vars(self).items()
        }
        return Tally(**sums)

    def row(self, epoch: int, *, refined: bool) -> dict[str, Any]:
        """One line of the curve, without validation."""
        return {
            "epoch": epoch,
            "train_loss": float(self.loss) / self.samples,
            "mean_weight": float(self.weight) / self.samples if refined else None,
            "label_change_rate": float(self.changed) / self.samples if refined else None,
            "dropped_steps": int(self.dropped) if refined else None,
        }

    def label_sums(self, before: list[list[float]]) -> list[list[float]]:
        """What `before` holds and the sums of these steps; as it is where they have none."""
        if not isinstance(self.labels, Tensor):
            return before
        sums = self.labels.cpu()
        total: list[list[float]] = (sums + sums.new_tensor(before) if before else sums).tolist()
        return total


@dataclass
class TrainingState:
    """Where a run stands after some epochs; everything that a checkpoint must hold beside model and optimizer."""

    epoch: int = 0
    best_value: float | None = None
    best_epoch: int = 0
    best: State = field(default_factory=dict)
    seconds: float = 0.0
    steps: int = 0
    labels: list[list[float]] = field(default_factory=list)
    """Sums of `saflex_cli.train.true_labels` over all epochs; empty where true classes are not known."""
    curve: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Fit:
    """What the loop needs; `run` trains from the checkpoint, or from the start, to the last epoch."""

    model: nn.Module
    step: Step
    optimizer: Optimizer
    train: Split
    val: Split | None
    """None where the validation set is trained on: nothing is evaluated or selected until the end."""
    recipe: Recipe
    streams: Streams
    checkpoint: Path
    identity: dict[str, Any]
    """What a checkpoint must match to be resumed from."""
    refined: bool
    """Whether the step reports weights and labels."""
    folds: Folds | None = None
    """Of the training data, where another part of them sits out every epoch."""
    reestimate: bool = False
    """Whether the model is judged and kept with BatchNorm statistics of the clean training data."""

    def run(self, on_epoch: Callable[[TrainingState], None]) -> TrainingState:
        """Train.

        Raises:
            TrainingError: if the loss is not finite.
            CheckpointError: if the checkpoint is there but cannot be read.
        """
        devices = [p.device.index for p in self.model.parameters() if p.device.type == "cuda"]
        with torch.random.fork_rng(devices=sorted(set(devices))):
            state, pace = self._resume(), Pace()
            while state.epoch < self.recipe.train.epochs:
                self._epoch(state)
                if pace.is_due:
                    with pace.written():
                        self._save(state)
                on_epoch(state)
        return state

    def _epoch(self, state: TrainingState) -> None:
        """Train one epoch, validate, and keep the state if it is the best so far."""
        epoch = state.epoch
        torch.manual_seed(self.streams.number("model", epoch))
        set_learning_rate(self.optimizer, self.recipe.optimizer, epoch)
        self.step.begin_epoch(epoch)
        self.model.train()
        tally = Tally()
        started = time.perf_counter()
        for inputs, labels, indices in self.batches(epoch):
            tally.add(self.train_batch(inputs, labels, indices), len(labels))
        row = tally.row(epoch + 1, refined=self.refined)
        state.seconds += time.perf_counter() - started
        state.steps += tally.steps
        state.labels = tally.label_sums(state.labels)
        self._require_finite(row["train_loss"], epoch + 1)
        row |= self._validate(state, epoch + 1)
        state.curve.append(row)
        state.epoch = epoch + 1

    def batches(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch, counted from 0."""
        train, order = self.recipe.train, self.streams.generator("order", epoch)
        samples = self.train if self.folds is None else self.folds.trained(epoch)
        if train.updates_per_epoch is None:
            return batches(samples, train.batch_size, order)
        return islice(full_batches(samples, train.batch_size, order), train.updates_per_epoch)

    def evaluating(self) -> AbstractContextManager[None]:
        """A context in which the model is as it is evaluated and kept; training goes on with the model as it was."""
        if not self.reestimate:
            return nullcontext()
        order = self.streams.generator("batch_norm")
        return reestimated(self.model, self.train, self.recipe.train.batch_size, order)

    def train_batch(self, inputs: Tensor, labels: Int[Tensor, " batch"], indices: Int[Tensor, " batch"]) -> StepResult:
        """One step: loss, gradient, update."""
        with autocast(labels.device, self.recipe.train):
            result = self.step(inputs, labels, indices)
        self.optimizer.zero_grad(set_to_none=True)
        with section("backward"):
            result.loss.backward()
        with section("optimizer"):
            self.optimizer.step()
        return result

    def _validate(self, state: TrainingState, epoch: int) -> dict[str, float | None]:
        if self.val is None:
            return {f"val_{name}": None for name in METRICS}
        with self.evaluating():
            values = evaluate(self.model, self.val)
            self._require_finite(values["loss"], epoch)
            value = values[self.recipe.selection.metric]
            if state.best_value is None or better(value, state.best_value, self.recipe.selection):
                state.best_value, state.best_epoch = value, epoch
                state.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        return {f"val_{name}": value for name, value in values.items()}

    def _require_finite(self, loss: float, epoch: int) -> None:
        if not math.isfinite(loss):
            raise not_finite(loss, epoch, self.identity)

    def _save(self, state: TrainingState) -> None:
        facts = {name: value for name, value in vars(state).items() if name != "best"}
        groups = {
            "model": self.model.state_dict(),
            "best": state.best,
            "optimizer": optimizer_tensors(self.optimizer),
            "step": self.step.state(),
        }
        write_checkpoint(self.checkpoint, Checkpoint(groups, {"identity": self.identity, "state": facts}))

    def _resume(self) -> TrainingState:
        if not self.checkpoint.exists():
            return TrainingState()
        saved = read_checkpoint(self.checkpoint)
        if saved.facts.get("identity") != self.identity:
            return TrainingState()
        try:
            state = TrainingState(**saved.facts["state"], best=saved.groups.get("best", {}))
            self.model.load_state_dict(saved.groups["model"])
            restore_optimizer(self.optimizer, saved.groups.get("optimizer", {}))
            self.step.restore(saved.groups.get("step", {}))
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                f"{self.checkpoint}: does not fit this version of saflex; delete it, or train again with --force"
            ) from error
        return state


def batches(split: Split, size: int, generator: torch.Generator) -> Iterator[Batch]:
    """All samples in random order.

    The last batch may be smaller, and is left out if it has one sample.
    """
    order = torch.randperm(len(split), generator=generator).to(split.labels.device)
    places = [chosen for chosen in order.split(size) if len(chosen) > 1]
    for inputs, chosen in zip(split.stream(places), places, strict=True):
        yield inputs, split.labels[chosen], chosen


def full_batches(split: Split, size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Batches of one size without end: one pass after the other, each in an order of its own.

    No batch holds a sample twice: a pass ends where fewer samples are left than a batch has, and these wait for a later
    pass. A split that is smaller than a batch is one.

    Raises:
        DataError: for a split of fewer than two samples, which no batch can be made of.
    """
    size = min(size, len(split))
    if size < 2:
        raise DataError(f"a batch needs two samples, and there are {len(split)} to train on; add some under data")
    while True:
        yield from (batch for batch in batches(split, size, generator) if len(batch[1]) == size)


def not_finite(loss: float, epoch: int, identity: Mapping[str, Any]) -> TrainingError:
    """What stops a run whose loss is infinite or no number."""
    error = TrainingError(
        f"the loss is {loss} in epoch {epoch}, and nothing was reported; lower optimizer.lr, or check the "
        "inputs for extreme values"
    )
    error.add_note("recipe {recipe}, method {method}, seed {seed}".format(**identity))
    return error


def better(value: float, best: float, selection: Selection) -> bool:
    """Strictly better, so that the first of equal epochs is kept."""
    return value < best if selection.metric == "loss" else value > best
