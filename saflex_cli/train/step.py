"""What every method's step is to the loop."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

State = dict[str, Tensor]


@dataclass(frozen=True)
class StepResult:
    """The loss of one batch, and what SAFLEX did with it (sums over the batch; None for the other methods).

    Seeds that are trained together have an entry each.
    """

    loss: Float[Tensor, "*seeds"]
    weight_sum: Float[Tensor, "*seeds"] | None = None
    changed_labels: Int[Tensor, "*seeds"] | None = None
    dropped: Int[Tensor, "*seeds"] | None = None
    label_sums: Float[Tensor, "*seeds 3 3"] | None = None
    """As `saflex_cli.train.true_labels` has them; None where true classes are not known."""


@runtime_checkable
class Step(Protocol):
    """From a batch of clean samples to a loss."""

    def begin_epoch(self, epoch: int) -> None:
        """Set all random streams to the epoch's beginning."""

    def __call__(self, inputs: Tensor, labels: Int[Tensor, " batch"], indices: Int[Tensor, " batch"], /) -> StepResult:
        """The loss of one batch; `indices` are the samples' places in the training split."""

    def state(self) -> State:
        """What it remembers from epoch to epoch; a checkpoint holds it."""

    def restore(self, state: State) -> None:
        """Put back what `state` gave.

        Raises:
            KeyError: if something is missing.
            RuntimeError: if something has another shape.
        """


class Stateless:
    """A step that remembers nothing from epoch to epoch."""

    def state(self) -> State:
        """Nothing."""
        return {}

    def restore(self, state: State) -> None:
        """Nothing to put back."""
