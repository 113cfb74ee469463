"""The training loop for all seeds of one cell: `saflex_cli.train.loop`, stacked."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor
from torch.optim import Optimizer

from saflex_cli.config.schema import Recipe
from saflex_cli.data.splits import Split
from saflex_cli.models.mlp_stack import MlpStack
from saflex_cli.train.evaluate import EVALUATION_BATCH, METRICS, metrics_of_seeds
from saflex_cli.train.loop import Tally, TrainingState, better, not_finite
from saflex_cli.train.optimizer import set_learning_rate
from saflex_cli.train.step import StepResult
from saflex_cli.train.together.network import Network
from saflex_cli.train.together.program import Program, resume, save
from saflex_cli.train.together.steps import StackedStep

SAVE_EVERY = 10.0
"""Seconds between two checkpoints: writing one costs more than an epoch on a small table."""


@dataclass(frozen=True)
class Samples:
    """One split of every seed, all of one size."""

    inputs: Tensor
    """(S, N, …)"""
    labels: Int[Tensor, "seeds n"]

    @classmethod
    def stacked(cls, splits: Sequence[Split]) -> "Samples":
        """Splits of equal sizes one above the other."""
        inputs = torch.stack([split.inputs for split in splits])
        return cls(inputs, torch.stack([split.labels for split in splits]))


@dataclass(frozen=True)
class StackedFit:
    """What the loop needs; `run` trains from the checkpoint, or from the start, to the last epoch."""

    network: Network
    step: StackedStep
    optimizer: Optimizer
    train: Samples
    val: Samples | None
    """As for `saflex_cli.train.loop.Fit`."""
    recipe: Recipe
    seeds: tuple[int, ...]
    checkpoint: Path
    identity: dict[str, Any]
    """What a checkpoint must match to be resumed from, beside holding the seeds."""
    refined: bool

    @property
    def stack(self) -> MlpStack:
        """The networks."""
        return self.network.stack

    def run(self, on_epoch: Callable[[Program], None]) -> Program:
        """Train all seeds.

        Raises:
            CheckpointError: if the checkpoint is there but cannot be read.
        """
        program = resume(self.checkpoint, self.stack, self.optimizer, self.identity, self.seeds)
        for place, state in enumerate(program.states):
            for row in state.curve:
                self._require_finite(program, place, row)
        saved = time.perf_counter()
        while program.epoch < self.recipe.train.epochs and len(program.failures) < len(self.seeds):
            self._epoch(program)
            if time.perf_counter() - saved > SAVE_EVERY or program.epoch == self.recipe.train.epochs:
                save(self.checkpoint, self.stack, self.optimizer, program, self.identity, self.seeds)
                saved = time.perf_counter()
            on_epoch(program)
        for state, best in zip(program.states, self.stack.split(program.best), strict=True):
            state.best = best if state.best_epoch else {}
        return program

    def _epoch(self, program: Program) -> None:
        """Train one epoch, validate, and keep the state of every seed for which it is the best so far."""
        epoch = program.epoch
        set_learning_rate(self.optimizer, self.recipe.optimizer, epoch)
        self.network.begin_epoch(epoch)
        self.step.begin_epoch(epoch)
        tally = Tally()
        started = time.perf_counter()
        for inputs, labels in self._batches(epoch):
            tally.add(self._train_batch(inputs, labels), labels.shape[1])
        tallies = [tally.of(place) for place in range(len(self.seeds))]
        rows = [own.row(epoch + 1, refined=self.refined) for own in tallies]
        share = (time.perf_counter() - started) / len(self.seeds)
        validated = self._validate()
        current, best = self.stack.split(self.stack.parameters), self.stack.split(program.best)
        for place, (state, row, values) in enumerate(zip(program.states, rows, validated, strict=True)):
            state.seconds += share
            state.steps += tally.steps
            state.labels = tallies[place].label_sums(state.labels)
            state.epoch = epoch + 1
            state.curve.append(row | {f"val_{name}": value for name, value in values.items()})
            self._require_finite(program, place, state.curve[-1])
            if place not in program.failures and self._improves(values, state):
                state.best_value, state.best_epoch = values[self.recipe.selection.metric], epoch + 1
                for name, tensor in current[place].items():
                    best[place][name].copy_(tensor.detach())

    def _batches(self, epoch: int) -> Iterator[tuple[Tensor, Int[Tensor, "seeds batch"]]]:
        """All samples of every seed in its own random order, as `saflex_cli.train.loop.batches` has them."""
        count, samples = self.train.labels.shape
        drawn = [
            torch.randperm(samples, generator=streams.generator("order", epoch)) for streams in self.network.streams
        ]
        order = torch.stack(drawn) + samples * torch.arange(count)[:, None]
        inputs, labels = self.train.inputs.flatten(0, 1), self.train.labels.flatten()
        for chosen in order.to(labels.device).split(self.recipe.train.batch_size, dim=1):
            if chosen.shape[1] > 1:
                yield inputs[chosen], labels[chosen]

    def _train_batch(self, inputs: Tensor, labels: Int[Tensor, "seeds batch"]) -> StepResult:
        """One step; seeds share no parameter, so that the sum of their losses gives each its own gradient."""
        result = self.step(inputs, labels)
        self.optimizer.zero_grad(set_to_none=True)
        result.loss.sum().backward()
        self.optimizer.step()
        return result

    @torch.no_grad()
    def _validate(self) -> list[dict[str, float | None]]:
        if self.val is None:
            return [dict.fromkeys(METRICS) for _ in self.seeds]
        parts = self.val.inputs.split(EVALUATION_BATCH, dim=1)
        logits = torch.cat([self.stack.forward(part).logits for part in parts], dim=1)
        return [dict(own) for own in metrics_of_seeds(logits.float().log_softmax(2).cpu(), self.val.labels.cpu())]

    def _improves(self, values: dict[str, float | None], state: TrainingState) -> bool:
        value = values[self.recipe.selection.metric]
        if value is None:
            return False
        return state.best_value is None or better(value, state.best_value, self.recipe.selection)

    def _require_finite(self, program: Program, place: int, row: dict[str, Any]) -> None:
        """Note the first epoch in which a seed's loss is not finite."""
        for loss in (row["train_loss"], row["val_loss"]):
            if loss is not None and not math.isfinite(loss):
                identity = self.identity | {"seed": self.seeds[place]}
                program.failures.setdefault(place, not_finite(loss, row["epoch"], identity))
