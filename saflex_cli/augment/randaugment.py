"""RandAugment (Cubuk et al. 2020) as torchvision does it, per sample, in batches of the samples that drew the same."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Int, UInt8
from torch import Tensor

from saflex_cli.augment.batch import AugmentedBatch
from saflex_cli.augment.intensity import as_uint8
from saflex_cli.augment.operations import OPERATIONS


@dataclass(frozen=True)
class PerSampleRandAugment:
    """`num_ops` of the 14 operations per image, drawn uniformly with replacement, all at one magnitude."""

    num_ops: int
    magnitude: int
    """Index of the magnitude, from 0 to `num_magnitude_bins` − 1."""
    num_magnitude_bins: int
    fill: float
    """Intensity in [0, 1] of what comes from outside."""

    def __call__(self, batch: AugmentedBatch, generator: torch.Generator) -> AugmentedBatch:
        """Augment a batch of images (B, C, H, W) with one or three channels; either kind leaves as uint8.

        It is done on the CPU wherever the batch lies. The images of a batch fall into some twenty groups with one
        operation each: a handful of images a time, which leaves a GPU idle between hundreds of small kernels.
        """
        images = as_uint8(batch.inputs).cpu()
        for _ in range(self.num_ops):
            images = self._round(images, *draw_operations(len(images), generator))
        return replace(batch, inputs=images.to(batch.inputs.device))

    def _round(
        self,
        images: UInt8[Tensor, "batch channels height width"],
        chosen: Int[Tensor, " batch"],
        negative: Bool[Tensor, " batch"],
    ) -> UInt8[Tensor, "batch channels height width"]:
        """One operation on each image: sorted by what they drew, equal ones together, then back to their places."""
        signed = torch.tensor([operation.signed for operation in OPERATIONS])
        keys = 2 * chosen + (negative & signed[chosen])
        order = keys.argsort(stable=True)
        groups = images[order].split(keys.bincount(minlength=2 * len(OPERATIONS)).tolist())
        done = torch.cat([self._apply(key, group) for key, group in enumerate(groups) if len(group)])
        return torch.empty_like(done).index_copy_(0, order, done)

    def _apply(self, key: int, images: UInt8[Tensor, "n channels height width"]) -> Tensor:
        operation = OPERATIONS[key // 2]
        height, width = images.shape[2:]
        magnitude = operation.magnitude(self.magnitude, self.num_magnitude_bins, height, width)
        return operation.apply(images, -magnitude if key % 2 else magnitude, round(255 * self.fill))


def draw_operations(size: int, generator: torch.Generator) -> tuple[Int[Tensor, " size"], Bool[Tensor, " size"]]:
    """An index into `OPERATIONS` for each sample, and whether its magnitude is negative if the operation has a sign."""
    chosen = torch.randint(len(OPERATIONS), (size,), generator=generator)
    return chosen, torch.rand(size, generator=generator) <= 0.5
