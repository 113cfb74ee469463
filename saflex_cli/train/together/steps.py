"""What each method does with one batch per seed: `saflex_cli.train.steps`, stacked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from saflex_cli.augment.batch import Upstream, label_dtype
from saflex_cli.core.alignment import alignment_from
from saflex_cli.core.directional import DirectionalPass
from saflex_cli.core.saflex import refine
from saflex_cli.core.solution import gumbel_noise
from saflex_cli.data.splits import Split
from saflex_cli.seeding import Streams
from saflex_cli.settings import Settings
from saflex_cli.train.outer import OuterBatches
from saflex_cli.train.step import StepResult
from saflex_cli.train.steps import Augment
from saflex_cli.train.together.direction import StackedDirection, cross_entropies, outer_direction
from saflex_cli.train.together.network import Network
from saflex_cli.train.true_labels import label_sums

Labels = Int[Tensor, "seeds batch"]
Logits = Float[Tensor, "seeds batch classes"]


@runtime_checkable
class StackedStep(Protocol):
    """From a batch of clean samples per seed to a loss per seed."""

    def begin_epoch(self, epoch: int) -> None:
        """Set all random streams to the epoch's beginning, but not those of the network."""

    def __call__(self, inputs: Tensor, labels: Labels, /) -> StepResult:
        """The losses of one batch per seed."""


class StackedPlainStep:
    """`no_aug`."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def begin_epoch(self, epoch: int) -> None:
        """Nothing is drawn at random."""

    def __call__(self, inputs: Tensor, labels: Labels) -> StepResult:
        """The losses of one batch per seed."""
        return StepResult(clean_losses(self.network, inputs, labels))


class StackedUpstreamStep:
    """`upstream`."""

    def __init__(self, network: Network, augmented: "Augmented", normalise: Literal["sum", "batch"]) -> None:
        self.network, self.augmented, self.normalise = network, augmented, normalise

    def begin_epoch(self, epoch: int) -> None:
        """Set the augmentations' random streams to the epoch's beginning."""
        self.augmented.begin_epoch(epoch)

    def __call__(self, inputs: Tensor, labels: Labels) -> StepResult:
        """The losses of one batch per seed."""
        batch = self.augmented(inputs, labels)
        logits = self.network.training_pass(batch.inputs).logits
        return StepResult(cross_entropies(logits, batch.soft_labels, batch.sample_weights, normalise=self.normalise))


class StackedSaflexStep:
    """`saflex`."""

    def __init__(
        self, settings: Settings, network: Network, augmented: "Augmented", outer: "OuterBatchOfSeeds"
    ) -> None:
        self.settings, self.network, self.augmented, self.outer = settings, network, augmented, outer

    def begin_epoch(self, epoch: int) -> None:
        """Set all random streams to the epoch's beginning; forget the outer gradients, as a resumed run must."""
        self.augmented.begin_epoch(epoch)
        self.outer.begin_epoch(epoch)
        self._gumbel = [streams.generator("gumbel", epoch) for streams in self.network.streams]
        self._direction: StackedDirection | None = None
        self._uses = 0

    def __call__(self, inputs: Tensor, labels: Labels) -> StepResult:
        """The losses of one batch per seed."""
        batch = self.augmented(inputs, labels)
        direction = self._outer_direction(inputs.shape[1]) if self.settings.needs_outer else None
        passed = self.network.training_pass(batch.inputs)
        measured = passed
        if self.settings.alignment_mode == "eval" and passed.noise is not None:
            with torch.no_grad():
                measured = self.network.stack.forward(batch.inputs)
        reference = measured.logits.detach()
        velocity = (
            torch.zeros_like(reference) if direction is None else direction.velocity(self.network.stack, measured)
        )
        noise = self._noise(reference)
        solve = torch.vmap(self._solve, in_dims=(0, 0, 0, 0, 0, None if noise is None else 0))
        solved = solve(passed.logits, reference, velocity, batch.soft_labels, batch.sample_weights, noise)
        loss, changed, dropped, weights, learned = solved
        sums = None
        if batch.true_labels is not None:
            sums = label_sums(batch.true_labels, batch.soft_labels, learned, weights)
        return StepResult(loss, weights.sum(1), changed, dropped, sums)

    def _outer_direction(self, batch: int) -> StackedDirection:
        """The outer gradients, reused for `outer_every` steps; a batch is drawn in every step, as in a run alone."""
        inputs, rows = self.outer.draw()
        steps = self.settings.steps_per_outer_gradient(rows.shape[1], batch)
        if self._direction is None or self._uses >= steps:
            scope: Literal["all", "head"] = "all" if self.settings.scope == "all" else "head"
            plain = self.settings.alignment_mode == "eval"
            with torch.set_grad_enabled(scope == "all"):
                outer = self.network.stack.forward(inputs) if plain else self.network.outer_pass(inputs)
            reduction = self.settings.outer_reduction
            self._direction = outer_direction(self.network.stack, outer, rows, scope=scope, reduction=reduction)
            self._uses = 0
        self._uses += 1
        return self._direction

    def _noise(self, like: Logits) -> Logits | None:
        if not (self.settings.refine_labels and self.settings.gumbel_scale):
            return None
        drawn = [gumbel_noise(own, generator) for own, generator in zip(like, self._gumbel, strict=True)]
        return torch.stack(drawn)

    def _solve(
        self,
        logits: Tensor,
        reference: Tensor,
        velocity: Tensor,
        upstream: Tensor,
        weights: Tensor,
        noise: Tensor | None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Of one seed: its loss, what a `StepResult` counts, weights and labels; the reference are Π's own logits."""
        settings = self.settings
        at = DirectionalPass(reference, velocity)
        found = replace(alignment_from(at, settings.alignment_of, settings.alignment_sign), logits=logits)
        refined = refine(found, upstream, weights, settings, noise=noise)
        changed = refined.label_changed.sum()
        return refined.loss(), changed, refined.dropped.long(), refined.sample_weights, refined.soft_labels


class StackedWithCleanBatch:
    """The mean of a method's loss and of the loss on the clean batch, at equal weight (E8)."""

    def __init__(self, step: StackedUpstreamStep | StackedSaflexStep) -> None:
        self.step = step

    def begin_epoch(self, epoch: int) -> None:
        """As the method's own."""
        self.step.begin_epoch(epoch)

    def __call__(self, inputs: Tensor, labels: Labels) -> StepResult:
        """The losses of one batch per seed."""
        result = self.step(inputs, labels)
        return replace(result, loss=(result.loss + clean_losses(self.step.network, inputs, labels)) / 2)


@dataclass(frozen=True)
class StackedBatch:
    """An augmented batch of every seed; see `saflex_cli.augment.batch.AugmentedBatch`."""

    inputs: Tensor
    """(S, B, …)"""
    soft_labels: Logits
    sample_weights: Float[Tensor, "seeds batch"]
    true_labels: Labels | None
    """None where they are not known, or right by definition."""


class Augmented:
    """Every seed's batch through its own augmentation, with its own random streams."""

    def __init__(self, upstreams: Sequence[Upstream], streams: Sequence[Streams]) -> None:
        self.upstreams, self.streams = upstreams, streams

    def begin_epoch(self, epoch: int) -> None:
        """Set all random streams to the epoch's beginning."""
        pairs = zip(self.upstreams, self.streams, strict=True)
        self._augment: list[Augment] = [upstream.epoch(streams, epoch) for upstream, streams in pairs]

    def __call__(self, inputs: Tensor, labels: Labels) -> "StackedBatch":
        """One batch of every seed."""
        batches = [augment(*own) for augment, *own in zip(self._augment, inputs, labels, strict=True)]
        true = [batch.true_labels for batch in batches if batch.true_labels is not None]
        known = len(true) == len(batches) and all(upstream.noisy for upstream in self.upstreams)
        return StackedBatch(
            inputs=torch.stack([batch.inputs for batch in batches]),
            soft_labels=torch.stack([batch.soft_labels for batch in batches]),
            sample_weights=torch.stack([batch.sample_weights for batch in batches]),
            true_labels=torch.stack(true) if known else None,
        )


class OuterBatchOfSeeds:
    """Every seed's outer batch, its classes as rows."""

    def __init__(self, batches: Sequence[OuterBatches], classes: int) -> None:
        self.batches, self.classes = batches, classes
        self._whole: tuple[Tensor, Tensor] | None = None
        if all(own.size == len(own.split) for own in batches):
            self._whole = self._stacked([own.split for own in batches])

    def begin_epoch(self, epoch: int) -> None:
        """Set the random streams to the epoch's beginning."""
        for own in self.batches:
            own.begin_epoch(epoch)

    def draw(self) -> tuple[Tensor, Float[Tensor, "seeds outer classes"]]:
        """Inputs (S, M, …) and rows."""
        return self._whole or self._stacked([own.draw() for own in self.batches])

    def _stacked(self, splits: Sequence[Split]) -> tuple[Tensor, Tensor]:
        inputs = torch.stack([split.inputs for split in splits])
        labels = torch.stack([split.labels for split in splits])
        return inputs, functional.one_hot(labels, self.classes).to(label_dtype(inputs))


def clean_losses(network: Network, inputs: Tensor, labels: Labels) -> Float[Tensor, " seeds"]:
    """Cross-entropy on the clean batches."""
    logits = network.training_pass(inputs).logits
    losses = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return losses.view_as(labels).mean(1)
