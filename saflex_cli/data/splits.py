"""A data set as tensors, split into train, val and test."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from saflex_cli.data.image_files import ImageFiles
from saflex_cli.errors import DataError


@dataclass(frozen=True)
class PixelScale:
    """How intensities in [0, 1] become inputs: (intensity − mean) / std, one value for all channels."""

    mean: float = 0.5
    std: float = 0.5

    def normalise(self, intensity: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """From [0, 1] to what the model sees."""
        return (intensity - self.mean) / self.std


@dataclass(frozen=True)
class Split:
    """Samples and their classes."""

    samples: Shaped[Tensor, "n ..."] | ImageFiles
    """In memory, or image files that are decoded batch by batch; either is indexed by places."""
    labels: Int[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def inputs(self) -> Shaped[Tensor, "n ..."]:
        """All samples in memory, for whoever cannot do with batches.

        Raises:
            DataError: if they are image files.
        """
        if isinstance(self.samples, ImageFiles):
            raise DataError(
                f"this needs all {len(self):,} samples in memory, and these images are decoded batch by batch; use "
                "data that fit, such as image_folder or npz, or a part of them"
            )
        return self.samples

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""
        return tuple(self.samples.shape[1:])

    def stream(self, batches: Iterable[Int[Tensor, " _"]]) -> Iterator[Shaped[Tensor, "_ ..."]]:
        """The samples at these places, batch by batch; image files are decoded ahead of their use."""
        samples = self.samples
        return samples.stream(batches) if isinstance(samples, ImageFiles) else (samples[places] for places in batches)

    def rows(self, places: Int[Tensor, " m"]) -> "Split":
        """Some of the samples; image files are not decoded."""
        if isinstance(self.samples, ImageFiles):
            return Split(self.samples.rows(places), self.labels[places])
        return Split(self.samples[places], self.labels[places])

    def to(self, device: torch.device) -> "Split":
        """The same samples on another device."""
        return Split(self.samples.to(device), self.labels.to(device))

    def joined(self, other: "Split") -> "Split":
        """These samples, then the others."""
        labels = torch.cat([self.labels, other.labels])
        if isinstance(self.samples, ImageFiles) and isinstance(other.samples, ImageFiles):
            return Split(self.samples.joined(other.samples), labels)
        return Split(torch.cat([self.inputs, other.inputs]), labels)


@dataclass(frozen=True)
class Splits:
    """What a recipe's `data` stands for."""

    train: Split
    val: Split
    test: Split
    class_names: tuple[str, ...]
    scale: PixelScale
    sha256: str
    """Of the data as loaded, before splitting."""
    md5: str | None = None
    """Of the official file, where the source publishes one."""
    levels: tuple[int, ...] = ()
    """Of tables: how many codes 0…L−1 each categorical column has. These columns come last in `inputs` (N, F), as whole
    numbers in float32; the continuous ones come first, standardised, with NaN for a missing value."""
    duplicates_across_splits: int | None = None
    """Of tables: rows of val and test that equal a row of train in every feature."""
    notes: tuple[str, ...] = ()
    """What the reader of the data inferred or left out, for the user."""

    @property
    def classes(self) -> int:
        """K."""
        return len(self.class_names)

    def of(self, names: tuple[str, ...]) -> Split:
        """The training samples, and those of val behind them where it is named, too."""
        return self.train.joined(self.val) if "val" in names else self.train

    def to(self, device: torch.device) -> "Splits":
        """The same splits on another device."""
        return replace(self, train=self.train.to(device), val=self.val.to(device), test=self.test.to(device))


def checked_splits(splits: Splits, source: str) -> Splits:
    """The same splits, if a classifier can be trained and judged on them.

    Raises:
        DataError: for fewer than two classes, an empty split, or a label outside 0…K−1.
    """
    if splits.classes < 2:
        raise DataError(f"{source}: {splits.classes} class; a classifier needs at least 2")
    for name in ("train", "val", "test"):
        labels = getattr(splits, name).labels
        if len(labels) == 0:
            raise DataError(f"{source}: the {name} split is empty; change the sizes under data")
        wrong = labels[(labels < 0) | (labels >= splits.classes)]
        if len(wrong):
            raise DataError(f"{source}: {name} has label {int(wrong[0])}; the classes are 0…{splits.classes - 1}")
    return splits
