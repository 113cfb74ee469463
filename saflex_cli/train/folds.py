"""Trusted data that the model has not fitted lately: another fold of the training data every epoch (`outer: fold`)."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from saflex_cli.data.splits import Split
from saflex_cli.seeding import Streams

FOLDS = 5
"""How many. A fold is trained on in four epochs of five, and trusted in the fifth."""


@dataclass(frozen=True)
class Folds:
    """A training set in folds, drawn once per seed, of which each in turn sits out an epoch.

    Cross-fitting proper has a model of its own for every fold. Here is one model, so that what it has fitted of a fold
    is what four epochs of the others have left of it.
    """

    split: Split
    streams: Streams

    def trusted(self, epoch: int) -> Split:
        """The fold that sits out the epoch, counted from 0."""
        return self._rows(self._places()[epoch % FOLDS])

    def trained(self, epoch: int) -> Split:
        """The others."""
        places = self._places()
        return self._rows(torch.cat([fold for number, fold in enumerate(places) if number != epoch % FOLDS]))

    def _places(self) -> tuple[Int[Tensor, " fold"], ...]:
        order = torch.randperm(len(self.split), generator=self.streams.generator("folds"))
        return order.to(self.split.labels.device).tensor_split(FOLDS)

    def _rows(self, places: Int[Tensor, " chosen"]) -> Split:
        return self.split.rows(places)
