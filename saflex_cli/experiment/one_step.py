"""The bilevel problem of Eq. 3 for one step of gradient descent, without Eq. 4's first-order view of the outer loss.

A step of rate α on the loss −Σ_ik v_ik log p_k(x_i; θ), with masses v_ik = w_i y_ik over Σ w or over the batch size,
moves θ to

    θ(v) = θ + α Σ_ik v_ik J_ik        J_ik = ∇θ log p_k(x_i; θ)

This is linear in v: the derivative of the outer loss L(θ(v)) through the step is α ⟨J_ik, ∇L(θ(v))⟩, and second-order
differentiation of the step gives the same numbers. J is computed once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, assert_never

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap
from torch.nn import functional

Normalise = Literal["sum", "batch"]
Masses = Float[Tensor, "*problems batch classes"]
Rates = float | Float[Tensor, "..."]
_LEARNING_RATE = 0.1
"""Of Adam, in log-odds. On digits, 0.05 to 0.2 end alike after 2000 iterations; larger ones stick in corners."""


@dataclass(frozen=True)
class OneStep:
    """A step's batch as derivatives, and losses as functions of where the step leads."""

    origin: Float[Tensor, " parameters"]
    jacobian: Float[Tensor, "batch classes parameters"]
    losses: Mapping[str, Callable[[Tensor], Tensor]]
    """From parameters (S, P) to losses (S,), in nats: `outer`, and others to look at."""

    def after(self, masses: Masses, rates: Rates, of: str = "outer") -> Float[Tensor, "*problems"]:
        """The loss after the step, for each of several masses with a rate of its own, or one for all."""
        batch, classes, parameters = self.jacobian.shape
        moves = masses.reshape(-1, batch * classes) @ self.jacobian.view(-1, parameters)
        each = torch.as_tensor(rates, dtype=moves.dtype).expand(masses.shape[:-2]).reshape(-1, 1)
        return self.losses[of](self.origin + each * moves).reshape(masses.shape[:-2])

    def before(self, of: str = "outer") -> float:
        """The loss without a step."""
        return self.losses[of](self.origin[None]).item()


def one_step(
    model: nn.Module,
    inputs: Tensor,
    trusted: Mapping[str, tuple[Tensor, Int[Tensor, " m"]]],
) -> OneStep:
    """The step on a batch (B, …) from the model's parameters, and the mean cross-entropy on other samples.

    The model is used in the mode in which it is, and must treat every sample alone.
    """
    parameters = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    shapes = {name: p.shape for name, p in parameters.items()}

    def log_probs(values: dict[str, Tensor], samples: Tensor) -> Tensor:
        logits: Tensor = functional_call(model, values, (samples,))
        return logits.log_softmax(1)

    def named(flat: Tensor) -> dict[str, Tensor]:
        pieces = flat.split([shape.numel() for shape in shapes.values()])
        return {name: piece.view(shape) for (name, shape), piece in zip(shapes.items(), pieces, strict=True)}

    def mean_loss(samples: Tensor, labels: Tensor) -> Callable[[Tensor], Tensor]:
        return vmap(lambda flat: functional.nll_loss(log_probs(named(flat), samples), labels))

    derivatives = jacrev(log_probs)(parameters, inputs)
    return OneStep(
        torch.cat([p.flatten() for p in parameters.values()]),
        torch.cat([derivatives[name].flatten(2) for name in parameters], dim=2).detach(),
        {name: mean_loss(*samples) for name, samples in trusted.items()},
    )


def masses(
    weights: Float[Tensor, "*problems batch"], labels: Masses, normalise: Normalise
) -> Float[Tensor, "*problems batch classes"]:
    """v_ik = w_i y_ik, over Σ w (all 0 where every weight is: the step is dropped) or over the batch size."""
    match normalise:
        case "sum":
            total = weights.sum(-1, keepdim=True)
            shares = weights / torch.where(total > 0, total, 1.0)
        case "batch":
            shares = weights / weights.shape[-1]
        case _:
            assert_never(normalise)
    return shares[..., None] * labels


@dataclass(frozen=True)
class Solution:
    """The best weights and labels that a search found."""

    masses: Float[Tensor, "batch classes"]
    loss: float
    """Of the outer samples, after the step."""
    second: float
    """The same by the second best of the starts."""
    gap: float
    """The Frank–Wolfe gap there, in nats: what a linear view of the loss could still gain. An upper bound on what is
    missing where L(θ(v)) is convex in v, as for a linear model; elsewhere a measure of stationarity."""


def search(
    step: OneStep,
    rates: Float[Tensor, " rates"],
    normalise: Normalise,
    starts: tuple[Float[Tensor, "starts batch"], Float[Tensor, "starts batch classes"]],
    iterations: int,
) -> list[Solution]:
    """For each rate, the least outer loss after the step over w in [0, 1]^B and y on the simplex (Eq. 3).

    Adam on log-odds of the weights and logits of the labels, from several starts, all at once; the best point of the
    whole way counts, and taking no step at all is one.
    """
    odds, logits = (torch.stack([start] * len(rates)).requires_grad_() for start in starts)
    optimizer = torch.optim.Adam([odds, logits], lr=_LEARNING_RATE, eps=1e-30)
    lowest, places = torch.full_like(odds[..., 0], torch.inf), torch.zeros_like(logits)
    for _ in range(iterations):
        at = masses(odds.sigmoid(), logits.softmax(-1), normalise)
        losses = step.after(at, rates[:, None])
        better = losses.detach() < lowest
        lowest = torch.where(better, losses.detach(), lowest)
        places = torch.where(better[..., None, None], at.detach(), places)
        optimizer.zero_grad()
        losses.sum().backward()
        optimizer.step()
    return [
        _best(step, rate, normalise, own, points)
        for rate, own, points in zip(rates.tolist(), lowest, places, strict=True)
    ]


def _best(
    step: OneStep,
    rate: float,
    normalise: Normalise,
    losses: Float[Tensor, " starts"],
    points: Float[Tensor, "starts batch classes"],
) -> Solution:
    first, second = losses.sort().values[[0, min(1, len(losses) - 1)]].tolist()
    best = points[losses.argmin()]
    if (nothing := step.before()) < first:
        best, first = torch.zeros_like(best), nothing
    return Solution(best, first, second, frank_wolfe_gap(step, best, rate, normalise))


def frank_wolfe_gap(step: OneStep, at: Float[Tensor, "batch classes"], rate: float, normalise: Normalise) -> float:
    """The maximum over feasible v of ⟨∇L, at − v⟩, in nats; no step is feasible in both cases."""
    point = at.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(step.after(point, rate), point)
    lowest = gradient.min().clamp(max=0) if normalise == "sum" else gradient.amin(1).clamp(max=0).mean()
    return ((gradient * at).sum() - lowest).item()
