"""Named random streams: one generator per purpose, all from one seed.

What a method consumes can never shift what another stream yields, so that two methods with one seed see the same split,
initial weights, batch order and augmentations (their difference is paired). A stream is derived afresh for every epoch,
so that a resumed run needs no stored generator state.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

import torch

Purpose = Literal[
    "split",
    "init",
    "order",
    "augment",
    "outer",
    "gumbel",
    "model",
    "folds",
    "lp_a3",
    "pool",
    "batch_norm",
    "reference",
    "show",
    "probe",
]


@dataclass(frozen=True)
class Streams:
    """The random streams of one run.

    Purposes: `split` (which samples are train, val and test), `init` (initial weights), `order` (batches), `augment`
    (the upstream augmentation), `outer` (outer minibatches), `gumbel` (the noise of Algorithm 1), `model` (dropout),
    `folds` (which samples sit out an epoch together), `lp_a3` (where its perturbations start), `pool` (which samples
    are set aside, and what is wrong with them), `batch_norm` (the order in which its statistics are estimated anew),
    `reference` (what scikit-learn draws), `show` (everything random in what `saflex show` draws), `probe` (likewise in
    what `saflex probe` measures).
    """

    seed: int

    def number(self, purpose: Purpose, *detail: int | str) -> int:
        """A 63-bit integer that depends on the seed, the purpose and any further detail (such as the epoch)."""
        text = "/".join(map(str, (self.seed, purpose, *detail)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

    def generator(self, purpose: Purpose, *detail: int | str) -> torch.Generator:
        """A fresh CPU generator for this purpose; equal arguments give equal streams."""
        return torch.Generator().manual_seed(self.number(purpose, *detail))
