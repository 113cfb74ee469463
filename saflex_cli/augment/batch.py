"""What an augmentation yields, and what a function must look like to be one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from saflex_cli.core.sections import section
from saflex_cli.seeding import Streams


@dataclass(frozen=True)
class AugmentedBatch:
    """Augmented samples with their upstream labels and weights.

    Images are raw intensities, uint8 in 0…255 or float in [0, 1]; a step may return either kind.
    """

    inputs: Float[Tensor, "batch ..."] | UInt8[Tensor, "batch ..."]
    soft_labels: Float[Tensor, "batch classes"]
    sample_weights: Float[Tensor, " batch"]
    true_labels: Int[Tensor, " batch"] | None = None
    """Their true classes, −1 for a sample of no class; None where nobody knows, and after samples have been mixed."""


UpstreamFunction = Callable[[Tensor, Tensor, torch.Generator], AugmentedBatch | tuple[Tensor, Tensor]]
"""A user's own augmentation: (inputs (B, …), labels (B,), generator) → an `AugmentedBatch`, or inputs and labels,
which may be classes (B,) or soft (B, K). Images come and go as raw intensities, uint8 in 0…255 or float in [0, 1]: the
model normalises. Draw random numbers from the generator (on the CPU) to keep runs reproducible."""


AugmentationStep = Callable[[AugmentedBatch, torch.Generator], AugmentedBatch]
"""One step of an upstream augmentation; random numbers come from the CPU generator."""


@runtime_checkable
class Scheduled(Protocol):
    """A step that depends on the epoch."""

    def at_epoch(self, epoch: int) -> AugmentationStep:
        """The step of this epoch, counted from 0."""


@dataclass(frozen=True)
class Upstream:
    """Steps applied in order, each with a random stream of its own: leaving one out does not move the others."""

    steps: tuple[tuple[str, AugmentationStep], ...]
    classes: int

    @property
    def pools(self) -> tuple[str, ...]:
        """SHA-256 of the samples of every step that brings its own."""
        return tuple(digest for _, step in self.steps if (digest := getattr(step, "sha256", None)))

    @property
    def noisy(self) -> bool:
        """Whether a step makes labels wrong on purpose, so that it is worth counting what becomes of them."""
        return any(getattr(step, "noisy", False) for _, step in self.steps)

    def epoch(
        self, streams: Streams, epoch: int, *, scheduled: int | None = None
    ) -> Callable[[Tensor, Int[Tensor, " batch"]], AugmentedBatch]:
        """The augmentation for one epoch, its random streams at their beginning.

        `scheduled` is the epoch whose strength is used, where it is not that of the streams.
        """
        generators = [streams.generator("augment", epoch, name) for name, _ in self.steps]
        at = epoch if scheduled is None else scheduled
        steps = [step.at_epoch(at) if isinstance(step, Scheduled) else step for _, step in self.steps]

        def augment(inputs: Tensor, labels: Int[Tensor, " batch"]) -> AugmentedBatch:
            with section("augmentation"):
                batch = clean_batch(inputs, labels, self.classes)
                for step, generator in zip(steps, generators, strict=True):
                    batch = step(batch, generator)
            return batch

        return augment


def clean_batch(inputs: Tensor, labels: Int[Tensor, " batch"], classes: int) -> AugmentedBatch:
    """A batch as it is, in the form of an augmented one."""
    rows = torch.nn.functional.one_hot(labels, classes).to(label_dtype(inputs))
    return AugmentedBatch(inputs, rows, rows.new_ones(len(labels)), labels)


def label_dtype(inputs: Tensor) -> torch.dtype:
    """Of soft labels and weights: that of the inputs, or the default where these are integers."""
    return inputs.dtype if inputs.is_floating_point() else torch.get_default_dtype()


def with_labels(batch: AugmentedBatch, soft_labels: Float[Tensor, "batch classes"]) -> AugmentedBatch:
    """The same samples under other labels."""
    return replace(batch, soft_labels=soft_labels)
