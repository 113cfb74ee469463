"""From a recipe's `augmenter`, or a user's function, to an upstream augmentation."""

from pathlib import Path
from typing import assert_never

import torch
from torch import Tensor
from torch.nn import functional

from saflex_cli.augment.batch import AugmentationStep, AugmentedBatch, Upstream, UpstreamFunction, label_dtype
from saflex_cli.augment.crop import RandomCrop
from saflex_cli.augment.folder import SamplePool, read_pool
from saflex_cli.augment.labels import LabelCorruption
from saflex_cli.augment.mixup import PairMixup
from saflex_cli.augment.randaugment import PerSampleRandAugment
from saflex_cli.augment.vision import RandomRotation
from saflex_cli.config.schema import AugmenterStep, CorruptLabels, Crop, Folder, Mixup, RandAugment, Rotation
from saflex_cli.errors import DataError


def build_upstream(
    steps: tuple[AugmenterStep, ...],
    *,
    shape: tuple[int, int, int],
    class_names: tuple[str, ...],
    root: Path,
) -> Upstream:
    """The upstream augmentation of a recipe.

    Args:
        steps: From the recipe.
        shape: Of one image (C, H, W).
        class_names: One per class.
        root: Data root, for relative folders.

    Raises:
        DataError: if a folder of pre-made samples cannot be used.
    """
    names = [f"{step.name}-{[s.name for s in steps[:index]].count(step.name)}" for index, step in enumerate(steps)]
    built = [_build_step(step, shape, class_names, root) for step in steps]
    return Upstream(tuple(zip(names, built, strict=True)), len(class_names))


def _build_step(
    step: AugmenterStep, shape: tuple[int, int, int], class_names: tuple[str, ...], root: Path
) -> AugmentationStep:
    match step:
        case Rotation():
            return RandomRotation(step.degrees, step.fill)
        case CorruptLabels():
            return LabelCorruption(step.share, step.to)
        case Folder():
            return SamplePool(*read_pool(root / step.path, shape=shape, class_names=class_names))
        case RandAugment():
            return PerSampleRandAugment(step.num_ops, step.magnitude, step.num_magnitude_bins, step.fill)
        case Mixup():
            return PairMixup(step.alpha, per_sample=step.per_sample)
        case Crop():
            return RandomCrop(step.padding, step.flip, step.fill)
        case _:
            assert_never(step)


def upstream_from_function(function: UpstreamFunction, classes: int) -> Upstream:
    """A user's own augmentation in the place of a recipe's; what it returns is checked on every call."""

    def step(batch: AugmentedBatch, generator: torch.Generator) -> AugmentedBatch:
        result = function(batch.inputs, batch.soft_labels.argmax(1), generator)
        return result if isinstance(result, AugmentedBatch) else _from_pair(*result, classes=classes)

    return Upstream((("function", step),), classes)


def _from_pair(inputs: Tensor, labels: Tensor, *, classes: int) -> AugmentedBatch:
    if labels.ndim == 1:
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
            raise DataError(f"the augmenter returned a label outside 0…{classes - 1}")
        labels = functional.one_hot(labels, classes)
    if labels.shape != (len(inputs), classes):
        raise DataError(
            f"the augmenter returned {len(inputs)} samples with labels {tuple(labels.shape)}; expected (B, {classes})"
        )
    rows = labels.to(inputs.device, label_dtype(inputs))
    return AugmentedBatch(inputs, rows, rows.new_ones(len(inputs)))
