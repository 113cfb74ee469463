"""From a recipe's `augmenter`, or a user's function, to an upstream augmentation."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import assert_never

import torch
from torch import Tensor
from torch.nn import functional

from saflex_cli.augment.batch import AugmentationStep, AugmentedBatch, Upstream, UpstreamFunction
from saflex_cli.augment.crop import RandomCrop
from saflex_cli.augment.cutmix import CellReplacement, ColumnReplacement
from saflex_cli.augment.embedding_mixup import PairedRows
from saflex_cli.augment.folder import SamplePool, read_pool
from saflex_cli.augment.labels import LabelCorruption
from saflex_cli.augment.mixup import PairMixup
from saflex_cli.augment.noise import AdditiveNoise
from saflex_cli.augment.pool import PoolDraw
from saflex_cli.augment.randaugment import PerSampleRandAugment
from saflex_cli.augment.randaugment_wilds import PerSampleWilds
from saflex_cli.augment.soft_crop import SoftShift
from saflex_cli.augment.vision import RandomRotation
from saflex_cli.config.components import (
    AugmenterStep,
    CorruptLabels,
    Crop,
    Folder,
    GaussianNoise,
    Mixup,
    RandAugment,
    Rotation,
    SoftCrop,
    WildsRandAugment,
)
from saflex_cli.config.pool import PoolSamples
from saflex_cli.config.tabular_components import CellCutMix, ColumnCutMix, EmbeddingMixup
from saflex_cli.errors import DataError, RecipeError

_OF_ROWS = (CellCutMix, ColumnCutMix, EmbeddingMixup)
"""Steps that take vectors alone: rows of a table."""
_OF_VECTORS = (CorruptLabels, GaussianNoise, Mixup, PoolSamples, *_OF_ROWS)
"""Steps that take vectors; all others take images alone."""


def build_upstream(
    steps: tuple[AugmenterStep, ...],
    *,
    shape: tuple[int, ...],
    levels: tuple[int, ...] = (),
    class_names: tuple[str, ...],
    root: Path,
    pool: PoolDraw | None = None,
) -> Upstream:
    """The upstream augmentation of a recipe.

    Args:
        steps: From the recipe.
        shape: Of one sample: (C, H, W) of an image, (F,) of a vector.
        levels: Of the categorical columns, the last of a vector's, as in `Splits`.
        class_names: One per class.
        root: Data root, for relative folders.
        pool: What the step `pool` draws from.

    Raises:
        RecipeError: if a step cannot take the data, or what the step before it yields, or draws from a pool that the
            recipe has not.
        DataError: if a folder of pre-made samples cannot be used.
    """
    for step in steps:
        _check_data(step, shape, levels)
    _check_order(steps)
    names = [f"{step.name}-{[s.name for s in steps[:index]].count(step.name)}" for index, step in enumerate(steps)]
    samples = partial(_samples, shape=shape, class_names=class_names, root=root, pool=pool)
    built = [_build_step(step, shape, samples) for step in steps]
    return Upstream(tuple(zip(names, built, strict=True)), len(class_names))


def _check_data(step: AugmenterStep, shape: tuple[int, ...], levels: tuple[int, ...]) -> None:
    if len(shape) != 3 and not isinstance(step, _OF_VECTORS):
        raise RecipeError(
            f"augmenter: {step.name} takes images, and the data are vectors; cell_cutmix, column_cutmix, "
            "embedding_mixup, gaussian_noise, mixup and corrupt_labels take vectors"
        )
    if len(shape) == 3 and isinstance(step, _OF_ROWS):
        raise RecipeError(f"augmenter: {step.name} takes rows of a table, and the data are images; use another step")
    if levels and isinstance(step, Mixup | GaussianNoise):
        instead = "embedding_mixup" if isinstance(step, Mixup) else "cell_cutmix or column_cutmix"
        raise RecipeError(
            f"augmenter: {step.name} takes quantities, and {len(levels)} of the {shape[0]} columns are categorical, "
            f"with codes in them; use {instead}"
        )


def _check_order(steps: tuple[AugmenterStep, ...]) -> None:
    """The pool comes first; after rows have been paired, no step may look at them."""
    if any(isinstance(step, PoolSamples) for step in steps[1:]):
        raise RecipeError(
            f"augmenter: pool takes the place of the batch, and what {steps[0].name} did before it would be lost; put "
            "pool first"
        )
    pairing = [index for index, step in enumerate(steps) if isinstance(step, EmbeddingMixup)]
    for step in steps[pairing[0] + 1 :] if pairing else ():
        if not isinstance(step, CorruptLabels):
            raise RecipeError(
                f"augmenter: {step.name} comes after embedding_mixup, which hands on pairs of rows for the model to "
                "mix; put embedding_mixup last"
            )


def _samples(
    step: Folder | PoolSamples,
    *,
    shape: tuple[int, ...],
    class_names: tuple[str, ...],
    root: Path,
    pool: PoolDraw | None,
) -> AugmentationStep:
    """A step that brings samples of its own."""
    if isinstance(step, Folder):
        return SamplePool(*read_pool(root / step.path, shape=shape, class_names=class_names))
    if pool is None:
        raise RecipeError(
            "augmenter: pool draws from the recipe's pool, and there is none; add the key pool: {size: …}"
        )
    return pool


def _build_step(
    step: AugmenterStep, shape: tuple[int, ...], samples: Callable[[Folder | PoolSamples], AugmentationStep]
) -> AugmentationStep:
    match step:
        case Rotation():
            return RandomRotation(step.degrees, step.fill)
        case CorruptLabels():
            return LabelCorruption(step.share, step.to)
        case Folder() | PoolSamples():
            return samples(step)
        case RandAugment():
            return PerSampleRandAugment(step.num_ops, step.magnitude, step.num_magnitude_bins, step.fill)
        case WildsRandAugment():
            return PerSampleWilds(step.num_ops, step.flip, step.cutout)
        case Mixup():
            return PairMixup(step.alpha, per_sample=step.per_sample)
        case Crop():
            return RandomCrop(step.padding, step.flip, step.fill)
        case SoftCrop():
            return SoftShift(step.sigma, step.power, step.flip, step.fill, step.narrow_from)
        case GaussianNoise():
            return AdditiveNoise(step.std, clamp=len(shape) == 3)
        case CellCutMix() | ColumnCutMix() | EmbeddingMixup():
            return _build_row_step(step)
        case _:
            assert_never(step)


def _build_row_step(step: CellCutMix | ColumnCutMix | EmbeddingMixup) -> AugmentationStep:
    match step:
        case CellCutMix():
            return CellReplacement(step.probability)
        case ColumnCutMix():
            return ColumnReplacement(step.alpha, step.probability)
        case EmbeddingMixup():
            return PairedRows(step.share, step.alpha, per_sample=step.per_sample)


def upstream_from_function(function: UpstreamFunction, classes: int) -> Upstream:
    """A user's own augmentation in the place of a recipe's; what it returns is checked on every call.

    It gets copies, so that it may change its arguments.
    """

    def step(batch: AugmentedBatch, generator: torch.Generator) -> AugmentedBatch:
        given, labels = batch.inputs.clone(), batch.soft_labels.argmax(1)
        result = function(given, labels, generator)
        if isinstance(result, AugmentedBatch):
            inputs, labels, weights = result.inputs, result.soft_labels, result.sample_weights
        elif isinstance(result, tuple) and len(result) == 2 and all(isinstance(part, Tensor) for part in result):
            inputs, labels = result
            weights = batch.sample_weights
        else:
            raise DataError(f"the augmenter returned {type(result).__name__}; return (inputs, labels), two tensors")
        rows = _label_rows(labels, batch)
        if inputs.shape != batch.inputs.shape:
            shapes = f"{tuple(inputs.shape)} for {tuple(batch.inputs.shape)}"
            raise DataError(f"the augmenter returned inputs of shape {shapes}; keep the shape")
        if weights.shape != batch.sample_weights.shape or not bool(((weights >= 0) & (weights <= 1)).all()):
            raise DataError(f"the augmenter returned sample weights that are not ({len(batch.inputs)},) in [0, 1]")
        return AugmentedBatch(inputs, rows, weights.to(batch.sample_weights))

    return Upstream((("function", step),), classes)


def _label_rows(labels: Tensor, batch: AugmentedBatch) -> Tensor:
    size, classes = batch.soft_labels.shape
    if labels.shape == (size,) and not labels.is_floating_point():
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
            raise DataError(f"the augmenter returned a label outside 0…{classes - 1}")
        return functional.one_hot(labels.long(), classes).to(batch.soft_labels)
    if labels.shape != (size, classes) or not labels.is_floating_point():
        raise DataError(
            f"the augmenter returned {labels.dtype} labels {tuple(labels.shape)}; expected whole numbers ({size},) or "
            f"probabilities ({size}, {classes})"
        )
    if not bool(((labels >= 0).all(1) & ((labels.sum(1) - 1).abs() < 1e-2)).all()):
        raise DataError("the augmenter returned soft labels whose rows are not probabilities (entries ≥ 0, sum 1)")
    return labels.to(batch.soft_labels)
