"""Where the outer samples of a SAFLEX step come from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, assert_never, runtime_checkable

import torch
from jaxtyping import Int
from torch import Tensor

from saflex_cli.config.schema import SaflexMethod
from saflex_cli.data.splits import Split, Splits
from saflex_cli.errors import DataError
from saflex_cli.seeding import Streams
from saflex_cli.train.folds import Folds


@dataclass(frozen=True)
class Chosen:
    """An outer batch by its places: a step that uses an earlier outer gradient again never looks at its rows."""

    split: Split
    places: Int[Tensor, " outer"] | None = None
    """In the split, on its device; None for all of it in its own order."""

    def __len__(self) -> int:
        return len(self.split) if self.places is None else len(self.places)

    def rows(self) -> Split:
        """The samples, decoded where they are files."""
        if self.places is not None:
            return Split(self.split.samples[self.places], self.split.labels[self.places])
        in_memory = isinstance(self.split.samples, Tensor)
        return self.split if in_memory else Split(self.split.samples[:], self.split.labels)


@runtime_checkable
class OuterSource(Protocol):
    """Where the outer batch of a step comes from."""

    def begin_epoch(self, epoch: int) -> None:
        """Set the random stream to the epoch's beginning."""

    def choose(self, clean: Split, /) -> Chosen:
        """The places of the outer batch of a step whose clean batch is given; the random stream goes on."""

    def draw(self, clean: Split, /) -> Split:
        """The samples at these places."""


class CleanBatches:
    """The clean samples of the very batch."""

    def begin_epoch(self, epoch: int) -> None:
        """Nothing is drawn at random."""

    def choose(self, clean: Split) -> Chosen:
        """All of the clean batch."""
        return Chosen(clean)

    def draw(self, clean: Split) -> Split:
        """The clean batch."""
        return clean


class OuterBatches:
    """Random outer batches of a fixed size, or the whole set in its own order.

    The set is one for all epochs, or a function of the epoch.
    """

    def __init__(self, trusted: Split | Callable[[int], Split], size: int, streams: Streams) -> None:
        self.trusted, self.size, self.streams = trusted, size, streams
        self.begin_epoch(0)

    def begin_epoch(self, epoch: int) -> None:
        """Set the random stream to the epoch's beginning, and take the epoch's set."""
        self.generator = self.streams.generator("outer", epoch)
        self.split = self.trusted if isinstance(self.trusted, Split) else self.trusted(epoch)

    def choose(self, _clean: Split | None = None) -> Chosen:
        """Places without repetition."""
        if self.size >= len(self.split):
            return Chosen(self.split)
        places = torch.randperm(len(self.split), generator=self.generator)[: self.size]
        return Chosen(self.split, places.to(self.split.labels.device))

    def draw(self, _clean: Split | None = None) -> Split:
        """A batch without repetition."""
        return self.choose().rows()


def outer_source(method: SaflexMethod, splits: Splits, batch_size: int, streams: Streams) -> OuterSource:
    """Where the outer batches of a SAFLEX method come from.

    Raises:
        DataError: if the recipe asks for more outer samples than there are.
    """
    if method.outer in ("batch", "clean_pass"):
        return CleanBatches()
    if method.outer == "fold":
        folds = Folds(splits.of(method.train_on), streams)
        return OuterBatches(folds.trusted, outer_size(method, splits, batch_size), streams)
    return OuterBatches(outer_split(method, splits), outer_size(method, splits, batch_size), streams)


def outer_split(method: SaflexMethod, splits: Splits, streams: Streams = Streams(0)) -> Split:  # noqa: B008 - frozen
    """The trusted samples of a SAFLEX method; of folds, those of the first epoch."""
    match method.outer:
        case "val":
            return splits.val
        case "train" | "batch" | "clean_pass":
            return splits.train
        case "fold":
            return Folds(splits.of(method.train_on), streams).trusted(0)
        case "train+val":
            return splits.train.joined(splits.val)
        case _:
            assert_never(method.outer)


def outer_size(method: SaflexMethod, splits: Splits, batch_size: int) -> int:
    """Outer samples per step.

    Raises:
        DataError: if the recipe asks for more than the set holds.
    """
    available = len(outer_split(method, splits))
    asked = "auto" if method.outer in ("batch", "clean_pass") else method.resolved_settings().outer_batch_size
    if asked == "all":
        return available
    if asked == "auto":
        return min(batch_size, available)
    if asked > available:
        raise DataError(
            f"method {method.label}: outer_batch_size is {asked}, but its outer set ({method.outer}) has {available} "
            "samples; lower it, or write auto or all"
        )
    return asked
