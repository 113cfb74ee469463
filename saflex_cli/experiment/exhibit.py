"""Augmented training samples with the weights and labels that a finished state gives them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from saflex_cli.augment.batch import AugmentedBatch
from saflex_cli.augment.intensity import as_float
from saflex_cli.config.schema import MethodConfig, SaflexMethod, Upstream
from saflex_cli.core import Saflex
from saflex_cli.data.splits import Split
from saflex_cli.errors import RecipeError
from saflex_cli.experiment.finished import Finished, load_finished
from saflex_cli.experiment.neighbourhood import Group, groups_by_neighbours
from saflex_cli.experiment.parts import Parts
from saflex_cli.figures.samples import Plane, Samples, joined
from saflex_cli.numpy_arrays import NDArray
from saflex_cli.seeding import Streams
from saflex_cli.train.evaluate import predict
from saflex_cli.train.outer import outer_source, outer_split
from saflex_cli.train.steps import train_split

GRID = 160
"""Points per side at which the model's decision regions are evaluated."""

Refine = Callable[[Split, AugmentedBatch], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Exhibit:
    """What there is to see of one state."""

    recipe: str
    method: str
    seed: int
    state: str
    epoch: int
    drawn: Samples
    """The first of the samples, lowest weight first."""
    samples: Samples
    """One batch of images; for points in the plane, all training samples, batch by batch."""
    plane: Plane | None
    """For points in the plane."""
    groups: tuple[Group, ...]
    """For points in the plane: the samples grouped by where they fell."""


def exhibit(path: Path, *, count: int, data_root: Path | None = None, device: str = "auto") -> Exhibit:
    """Augment training samples and refine them as a training step does, with random streams of their own.

    The model is in training mode, as in training; it is read from the checkpoint for this purpose alone.

    Args:
        path: A `selected` or `last` checkpoint.
        count: Samples to draw: the first of them, which are in random order.
        data_root: Data sets; None takes the environment variable SAFLEX_DATA, else ./data.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        RecipeError: if there is nothing to show: no augmentation, inputs that are neither images nor points, or samples
            that exist inside the model alone.
        CheckpointError: if the file cannot be read, or was made from other data or for another model.
    """
    finished = load_finished(path, data_root=data_root, device=device, augmented=True)
    parts = finished.parts
    require_showable(parts.method)
    _require_drawable(parts)
    in_plane = len(parts.splits.train.shape) == 1
    samples = joined(list(_refined_batches(finished, every=in_plane)))
    drawn = samples.rows(slice(count)).by_weight()
    trusted = parts.splits.val
    if isinstance(parts.method, SaflexMethod):
        trusted = outer_split(parts.method, parts.splits, Streams(parts.seed))
    return Exhibit(
        recipe=parts.recipe.name,
        method=parts.method.label,
        seed=parts.seed,
        state=finished.state,
        epoch=finished.epoch,
        drawn=drawn,
        samples=samples,
        plane=_plane(finished, drawn, trusted) if in_plane else None,
        groups=groups_by_neighbours(samples, trusted.inputs.numpy(), trusted.labels.numpy()) if in_plane else (),
    )


def require_showable(method: MethodConfig) -> None:
    """Refuse a method of which there is nothing to see.

    Raises:
        RecipeError: for methods without an upstream augmentation, and for SAFLEX with Adam's preconditioner.
    """
    if not isinstance(method, Upstream | SaflexMethod):
        raise RecipeError(
            f"{method.label} has no upstream augmentation: no weights or labels to show; choose another method"
        )
    if isinstance(method, SaflexMethod) and method.resolved_settings().precondition:
        raise RecipeError(
            f"{method.label}: precondition needs the state of Adam, which finished runs do not keep; it cannot be shown"
        )


def _require_drawable(parts: Parts) -> None:
    shape = parts.splits.train.shape
    if len(shape) != 3 and tuple(shape) != (2,):
        raise RecipeError(f"data: {parts.recipe.data.name} has neither images nor points in the plane to draw")
    steps = parts.method.augmenter if parts.method.augmenter is not None else parts.recipe.augmenter
    if any(step.name == "embedding_mixup" for step in steps or ()):
        raise RecipeError(
            f"{parts.method.label}: embedding_mixup mixes samples inside the model, where they cannot be drawn"
        )


def _refined_batches(finished: Finished, *, every: bool) -> Iterator[Samples]:
    """The first batch, or every one of an epoch."""
    parts, device = finished.parts, finished.device
    splits = parts.splits.to(device)
    train = train_split(parts.method, splits)
    streams = Streams(Streams(parts.seed).number("show"))
    if parts.upstream is None:
        raise RecipeError(f"method {parts.method.label} needs an augmentation; add the key augmenter")
    # The streams' epoch is the same for all, so that the methods of a seed are shown the same batch.
    augment, refine = parts.upstream.epoch(streams, 0, scheduled=finished.epoch - 1), _refine(finished, streams)
    order = torch.randperm(len(train), generator=streams.generator("order"))
    chunks = order.split(parts.recipe.train.batch_size)
    devices = [device.index] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(streams.number("model"))
        finished.model.train()
        for chosen in [chunk for chunk in chunks if len(chunk) > 1][: None if every else 1]:
            clean = _rows(train, chosen.to(device))
            batch = augment(clean.inputs, clean.labels)
            weights, learned = refine(clean, batch)
            yield Samples(
                index=chosen.numpy(),
                clean=_array(as_float(clean.inputs)),
                augmented=_array(as_float(batch.inputs)),
                upstream=_array(batch.soft_labels),
                learned=_array(learned),
                weights=_array(weights),
                class_names=splits.class_names,
            )


def _array(tensor: Tensor) -> NDArray[np.float64]:
    return tensor.detach().cpu().double().numpy()


def _refine(finished: Finished, streams: Streams) -> Refine:
    """From a clean batch and its augmented samples to weights (B,) and labels (B, K)."""
    parts = finished.parts
    method = parts.method
    if not isinstance(method, SaflexMethod):
        return lambda _clean, batch: (batch.sample_weights, batch.soft_labels)
    splits = parts.splits.to(finished.device)
    source = outer_source(method, splits, parts.recipe.train.batch_size, streams)
    saflex = Saflex(preset=method.preset, **method.settings.model_dump())
    noise = streams.generator("gumbel")

    def refine(clean: Split, batch: AugmentedBatch) -> tuple[Tensor, Tensor]:
        outer = source.draw(clean) if saflex.settings.needs_outer else None
        refined = saflex(
            model=finished.model,
            inputs=batch.inputs,
            upstream_labels=batch.soft_labels,
            upstream_weights=batch.sample_weights,
            outer_inputs=outer.inputs if outer else None,
            outer_labels=outer.labels if outer else None,
            generator=noise,
        )
        return refined.sample_weights, refined.soft_labels

    return refine


def _rows(split: Split, chosen: Int[Tensor, " n"]) -> Split:
    return Split(split.samples[chosen], split.labels[chosen])


def _plane(finished: Finished, samples: Samples, trusted: Split) -> Plane:
    """A square around the trusted and the drawn samples, and the model's predictions on it."""
    points = trusted.inputs.double().numpy()
    everything = np.concatenate([points, samples.clean, samples.augmented])
    low, high = everything.min(0), everything.max(0)
    middle, half = (low + high) / 2, 0.53 * float((high - low).max())
    left, bottom = map(float, middle - half)
    right, top = map(float, middle + half)
    x, y = torch.linspace(left, right, GRID), torch.linspace(bottom, top, GRID)
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=2).view(-1, 2)
    probabilities = predict(finished.model, grid.to(finished.device)).exp().double().cpu().numpy()
    return Plane(
        points=points,
        labels=trusted.labels.numpy(),
        extent=(left, right, bottom, top),
        probabilities=probabilities.reshape(GRID, GRID, -1),
    )
