"""Wrong labels on purpose: the simplest upstream augmentation that hurts."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from saflex_cli.augment.batch import AugmentedBatch, with_labels


@dataclass(frozen=True)
class LabelCorruption:
    """Moves the labels of a random share of the batch to another class; the true classes stay what they were."""

    noisy: ClassVar[bool] = True
    share: float
    to: Literal["next", "uniform"]

    def __call__(self, batch: AugmentedBatch, generator: torch.Generator) -> AugmentedBatch:
        """Shift corrupted rows of the soft labels cyclically: by 1 (`next`) or a random 1…K−1 classes (`uniform`)."""
        labels = batch.soft_labels
        size, classes = labels.shape
        shift = torch.randint(1, classes, (size,), generator=generator)
        shift = torch.ones_like(shift) if self.to == "next" else shift
        shift = shift * (torch.rand(size, generator=generator) < self.share)
        source = (torch.arange(classes) - shift[:, None]) % classes
        return with_labels(batch, labels.gather(1, source.to(labels.device)))
