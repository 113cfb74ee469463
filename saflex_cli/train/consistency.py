"""Time-consistency: whose prediction changes least from epoch to epoch (Zhou, Wang, Bilmes 2020)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from saflex_cli.train.step import State


def change(
    before: Float[Tensor, "batch classes"], now: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]
) -> Float[Tensor, " batch"]:
    """KL(p_before ‖ p_now) + |log p_before[y] − log p_now[y]| of log-probabilities, in nats; y is the given label.

    Worked case: p from (1/2, 1/2) to (1/4, 3/4) with label 0 gives (ln 2 + ln 2/3)/2 + ln 2 = 0.837.
    """
    divergence = (before.exp() * (before - now)).sum(1)
    return divergence + (before - now).gather(1, labels[:, None]).squeeze(1).abs()


def most_consistent(inconsistency: Float[Tensor, " batch"], ratio: float) -> Int[Tensor, " kept"]:
    """Places of the round(ratio · B) samples that changed least, in the order of the batch.

    Samples without a value (NaN) count as unchanged; of equal ones the first are kept.
    """
    order = inconsistency.nan_to_num(nan=0.0).argsort(stable=True)
    return order[: round(ratio * len(order))].sort().values


class Consistency:
    """Every training sample's last prediction, and the running average of its changes (NaN before the first)."""

    def __init__(self, samples: int, classes: int, *, newest: float) -> None:
        self.newest = newest
        self.log_probs = torch.full((samples, classes), torch.nan)
        self.inconsistency = torch.full((samples,), torch.nan)

    def to(self, device: torch.device) -> None:
        """Move to a device, where the indices must be."""
        self.log_probs, self.inconsistency = self.log_probs.to(device), self.inconsistency.to(device)

    def update(
        self, indices: Int[Tensor, " batch"], now: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]
    ) -> Float[Tensor, " batch"]:
        """Take in this epoch's log-probabilities, and give the samples' running averages."""
        latest, known = change(self.log_probs[indices], now, labels), self.inconsistency[indices]
        mixed = self.newest * latest + (1 - self.newest) * known
        averages = torch.where(known.isnan(), latest, mixed)
        self.log_probs[indices], self.inconsistency[indices] = now, averages
        return averages

    def state(self) -> State:
        """Both memories."""
        return {"log_probs": self.log_probs, "inconsistency": self.inconsistency}
