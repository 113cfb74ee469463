"""The outer gradient of every seed, and how every seed's logits move along it: `saflex_cli.core.alignment`, stacked."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from saflex_cli.core import soft_cross_entropy
from saflex_cli.models.mlp_stack import MlpStack, StackedPass


@dataclass(frozen=True)
class StackedDirection:
    """The outer gradient of every seed, in the form of the stack's parameters; of the head alone in scope `head`."""

    gradient: Mapping[str, Tensor]
    scope: Literal["all", "head"]

    def velocity(self, stack: MlpStack, at: StackedPass) -> Float[Tensor, "seeds batch classes"]:
        """The derivative of the logits down the gradient."""
        moved = stack.head_velocity if self.scope == "head" else stack.velocity
        return -moved(at, self.gradient)


def outer_direction(
    stack: MlpStack,
    outer: StackedPass,
    labels: Float[Tensor, "seeds outer classes"],
    *,
    scope: Literal["all", "head"],
    reduction: Literal["mean", "sum"],
) -> StackedDirection:
    """Step 1 of Algorithm 1 for every seed; seeds share no parameter, so that the gradient of their sum is each's own.

    Args:
        stack: The networks.
        outer: Their pass over the outer batches; scope `all` needs its graph.
        labels: The classes of the outer batches as rows.
        scope: As for `saflex_cli.core.outer_direction`.
        reduction: Likewise.
    """
    samples = labels.shape[1]
    if scope == "head":
        return StackedDirection(_head_gradient(stack, outer, labels, samples if reduction == "mean" else 1), scope)
    loss = cross_entropies(outer.logits, labels).sum()
    loss = loss * samples if reduction == "sum" else loss
    gradients = torch.autograd.grad(loss, list(stack.parameters.values()))
    return StackedDirection(dict(zip(stack.parameters, gradients, strict=True)), scope)


def cross_entropies(
    logits: Float[Tensor, "seeds batch classes"],
    labels: Float[Tensor, "seeds batch classes"],
    sample_weights: Float[Tensor, "seeds batch"] | None = None,
    *,
    normalise: Literal["sum", "batch"] = "sum",
) -> Float[Tensor, " seeds"]:
    """`saflex_cli.core.soft_cross_entropy` of every seed."""
    weighted = None if sample_weights is None else 0
    each = torch.vmap(partial(soft_cross_entropy, normalise=normalise), in_dims=(0, 0, weighted))
    losses: Tensor = each(logits, labels, sample_weights)
    return losses


@torch.no_grad()
def _head_gradient(
    stack: MlpStack, outer: StackedPass, labels: Float[Tensor, "seeds outer classes"], divisor: int
) -> dict[str, Tensor]:
    residual = (outer.logits.softmax(2) - labels) / divisor
    head = stack.layers[-1]
    return {
        f"{head}.weight": (residual.mT @ outer.features).flatten(0, 1),
        f"{head}.bias": residual.sum(1).flatten(),
    }
