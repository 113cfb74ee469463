"""What a picture is drawn from: plain arrays, and the same as CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from saflex_cli.numpy_arrays import NDArray

Floats = NDArray[np.float64]
_ARRAYS = ("index", "clean", "augmented", "upstream", "learned", "weights")


@dataclass(frozen=True)
class Samples:
    """N augmented samples of K classes, with what a method made of them."""

    index: NDArray[np.int64]
    """(N,): place in the training data of the sample that was augmented."""
    clean: Floats
    """(N, …): before the augmentation."""
    augmented: Floats
    """(N, C, H, W): intensities in [0, 1], or (N, F): vectors."""
    upstream: Floats
    """(N, K): labels as the augmentation gives them."""
    learned: Floats
    """(N, K): labels that the method trains with."""
    weights: Floats
    """(N,): in [0, 1]."""
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def changed(self) -> NDArray[np.bool_]:
        """(N,): whether the largest entry of the label is another class than upstream."""
        moved: NDArray[np.bool_] = self.learned.argmax(1) != self.upstream.argmax(1)
        return moved

    def rows(self, chosen: NDArray[np.integer] | slice) -> "Samples":
        """Some of the samples."""
        arrays: dict[str, Any] = {name: getattr(self, name)[chosen] for name in _ARRAYS}
        return replace(self, **arrays)

    def by_weight(self) -> "Samples":
        """The same samples, lowest weight first; equal ones keep their order."""
        return self.rows(self.weights.argsort(kind="stable"))


def joined(parts: Sequence[Samples]) -> Samples:
    """Several batches as one; there is at least one."""
    arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
    return replace(parts[0], **arrays)


@dataclass(frozen=True)
class Plane:
    """What lies behind samples that are points."""

    points: Floats
    """(M, 2): trusted samples."""
    labels: NDArray[np.int64]
    """(M,): their classes."""
    extent: tuple[float, float, float, float]
    """Left, right, bottom and top of the picture."""
    probabilities: Floats
    """(R, R, K): the model's, on a grid over the extent; rows from bottom to top."""


def as_csv(samples: Samples) -> str:
    """One line per sample, in their order: index, largest upstream class, weight, labels; coordinates where 2-D."""
    classes = samples.class_names
    header = ["index", "upstream", "changed", "weight"]
    header += [f"{kind}_{name}" for kind in ("upstream", "learned") for name in classes]
    columns = [samples.weights[:, None], samples.upstream, samples.learned]
    if samples.augmented.ndim == 2:
        header += [f"{kind}_{number}" for kind in ("clean", "augmented") for number in range(samples.clean.shape[1])]
        columns += [samples.clean, samples.augmented]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for index, label, changed, values in zip(
        samples.index, samples.upstream.argmax(1), samples.changed, np.hstack(columns), strict=True
    ):
        writer.writerow([index, classes[label], int(changed), *(f"{value:.6g}" for value in values)])
    return text.getvalue()
