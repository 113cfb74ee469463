"""Gaussian noise on vectors or images, on their device."""

from dataclasses import dataclass, replace

import torch

from saflex_cli.augment.batch import AugmentedBatch
from saflex_cli.augment.intensity import as_float, like


@dataclass(frozen=True)
class AdditiveNoise:
    """Independent draws from N(0, std²), added to every value."""

    std: float
    """In the inputs' own units; of intensities in [0, 1] for images."""
    clamp: bool
    """Whether sums are kept within [0, 1], as images need it."""

    def __call__(self, batch: AugmentedBatch, generator: torch.Generator) -> AugmentedBatch:
        """Add noise to a batch (B, …); either kind stays what it is."""
        values = as_float(batch.inputs)
        noise = torch.randn(values.shape, generator=generator, dtype=values.dtype).to(values.device)
        noisy = values + self.std * noise
        return replace(batch, inputs=like(noisy.clamp(0, 1) if self.clamp else noisy, batch.inputs))
