"""Π, the alignment of every (sample, class) pair with the outer gradient.

With g = ∇θ L_outer,

    Π_ik = −⟨g, ∇θ log p_k(x_i; θ)⟩

is the rate at which log p_k(x_i) rises when θ moves down the outer loss. To first order, a step on the batch with
weights w and labels y lowers the outer loss by the learning rate times Σ_i w_i Σ_k y_ik Π_ik (Eq. 4, with the sign
that the paper loses between Eq. 7 and 8). Π is one directional derivative of the forward pass along −g; no per-sample
gradient is formed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from saflex_cli.core.directional import (
    DirectionalPass,
    OuterDirection,
    directional_pass,
    plain_pass,
    refuse_hidden_layers,
    still_pass,
)
from saflex_cli.core.losses import OuterLabels, outer_shares, soft_cross_entropy, soft_labels
from saflex_cli.core.outer_samples import HeadFeatures
from saflex_cli.core.passes import Inputs, evaluation_mode, precise, separate_rng, traceless_forward, without_autocast
from saflex_cli.core.recorded import recorded_direction, traceless_pass
from saflex_cli.errors import SaflexValueError
from saflex_cli.settings import Settings

Of = Literal["log_prob", "logit", "prob"]
Mode = Literal["train", "eval"]


@dataclass(frozen=True)
class Alignment:
    """Π of one batch, with the logits of the same samples."""

    logits: Float[Tensor, "batch classes"]
    """Of the training forward pass, with graph."""
    matrix: Float[Tensor, "batch classes"]
    """Π, detached; single precision or better."""
    log_probs: Float[Tensor, "batch classes"]
    """log p_k(x_i) in the pass in which Π was taken, detached."""
    features: Float[Tensor, "batch width"] | None = None
    """Scope `head`: what the classifier layer gets, as the outer samples' view shows it."""


def alignment(
    model: nn.Module,
    inputs: Inputs,
    outer_inputs: Inputs,
    outer_labels: OuterLabels,
    *,
    scope: Literal["all", "head"] = "all",
    head: nn.Module | str | None = None,
    of: Of = "log_prob",
    sign: Literal[1, -1] = 1,
    mode: Mode = "train",
    outer_reduction: Literal["mean", "sum"] = "mean",
) -> Alignment:
    """Π of a batch against an outer batch: `outer_direction`, then `align`.

    A pure measurement: running statistics, the global random state, training modes and `.grad` fields are as before.

    Args:
        model: Returns logits (B, K); called as `model(inputs)`.
        inputs: B samples: a tensor, tuple or dict, handed to the model unchanged.
        outer_inputs: M trusted samples, likewise.
        outer_labels: Their classes (M,) or soft labels (M, K).
        scope: `all` trainable parameters, by dual numbers in the forward pass itself; or the `head` (the last linear
            layer), in closed form.
        head: The classifier layer or its dotted name, where it cannot be found (scope `head`).
        of: The output f of which Π is the derivative (E2): log-probability, logit or probability.
        sign: −1 for the paper's literal sign (E1).
        mode: `train` leaves every module in the mode it is in; `eval` takes Π in evaluation mode (E9).
        outer_reduction: Mean or sum over the outer batch (E11).

    Raises:
        SaflexValueError: for outputs or labels of the wrong shape, an empty outer batch, an unknown choice, or a head
            that cannot be found.
    """
    # Checks the choices.
    Settings(scope=scope, alignment_of=of, alignment_sign=sign, alignment_mode=mode, outer_reduction=outer_reduction)
    direction = outer_direction(
        model, outer_inputs, outer_labels, scope=scope, head=head, mode=mode, reduction=outer_reduction
    )
    return align(model, inputs, direction, of=of, sign=sign, mode=mode)


def outer_direction(
    model: nn.Module,
    outer_inputs: Inputs,
    outer_labels: OuterLabels,
    *,
    scope: Literal["all", "head"] = "all",
    head: nn.Module | str | None = None,
    mode: Mode = "train",
    reduction: Literal["mean", "sum"] = "mean",
    balance: bool = False,
    features: HeadFeatures = "raw",
    steps: int = 1,
) -> OuterDirection:
    """−∇θ of the outer cross-entropy (step 1 of Algorithm 1); arguments and side effects as for `alignment`.

    With `balance` every class of the outer batch has the same share of its loss. `features` is what scope `head` sees,
    and `steps` the length of the path along which it takes the mean of the gradient (`outer_path`).
    """
    if mode == "eval":
        with evaluation_mode(model):
            return outer_direction(
                model,
                outer_inputs,
                outer_labels,
                scope=scope,
                head=head,
                reduction=reduction,
                balance=balance,
                features=features,
                steps=steps,
            )
    with separate_rng(model):
        if scope == "head":
            passed = traceless_pass(model, outer_inputs, head)
            return recorded_direction(
                passed, outer_labels, reduction=reduction, balance=balance, features=features, steps=steps
            )
        return _full_direction(model, outer_inputs, outer_labels, reduction, balance)


def align(
    model: nn.Module,
    inputs: Inputs,
    direction: OuterDirection,
    *,
    of: Of = "log_prob",
    sign: Literal[1, -1] = 1,
    mode: Mode = "train",
    training_step: bool = False,
) -> Alignment:
    """Π of a batch along a given outer direction.

    Args:
        model: As for `alignment`.
        inputs: As for `alignment`.
        direction: From `outer_direction`.
        of: As for `alignment`.
        sign: As for `alignment`.
        mode: As for `alignment`. `eval` costs a second forward pass where a module is in training mode.
        training_step: True if the forward pass *is* the training step's own: running statistics and the random state
            then advance exactly as in `model(inputs)`. False leaves both untouched.
    """
    take = partial(directional_pass, model, inputs, direction)
    measured, logits = measured_pass(model, inputs, take, mode=mode, training_step=training_step)
    return replace(alignment_from(measured, of, sign), logits=logits)


def measured_pass(
    model: nn.Module, inputs: Inputs, take: Callable[..., DirectionalPass], *, mode: Mode, training_step: bool
) -> tuple[DirectionalPass, Tensor]:
    """What `take(training_step=…)` measures, in evaluation mode if asked, and the logits of the training forward."""
    if mode == "eval" and any(module.training for module in model.modules()):
        with evaluation_mode(model), torch.no_grad():
            measured = take(training_step=False)
        torch.clear_autocast_cache()  # casts made without a graph must not serve the training pass
        return measured, plain_pass(model, inputs, training_step=training_step)
    measured = take(training_step=training_step)
    return measured, measured.logits


def unaligned(model: nn.Module, inputs: Inputs, *, mode: Mode) -> Alignment:
    """The training forward pass with Π = 0, for the ablation: log p from the same mode as where Π is taken."""
    take = partial(still_pass, model, inputs)
    measured, logits = measured_pass(model, inputs, take, mode=mode, training_step=True)
    return replace(alignment_from(measured, "log_prob", 1), logits=logits)


def alignment_from(measured: DirectionalPass, of: Of, sign: Literal[1, -1]) -> Alignment:
    """From the derivative of the logits to that of f (E2); d log p_k = ż_k − Σ_j p_j ż_j, d p_k = p_k d log p_k."""
    log_probs = precise(measured.logits.detach()).log_softmax(1)
    velocity = precise(measured.velocity)
    if of != "logit":
        # Relative to the largest, so that the largest entry of Π is never below zero by rounding (E3).
        velocity = velocity - velocity.amax(1, keepdim=True)
        velocity = velocity - (log_probs.exp() * velocity).sum(1, keepdim=True)
    if of == "prob":
        velocity = velocity * log_probs.exp()
    matrix = velocity if sign == 1 else -velocity
    return Alignment(measured.logits, matrix, log_probs, measured.features)


def _full_direction(
    model: nn.Module, inputs: Inputs, labels: OuterLabels, reduction: Literal["mean", "sum"], balance: bool
) -> OuterDirection:
    def loss(logits: Tensor) -> Tensor:
        targets = soft_labels(labels, logits, "outer_labels")
        mean = soft_cross_entropy(logits, targets, outer_shares(targets) if balance else None)
        return mean * len(logits) if reduction == "sum" else mean

    return descent_direction(model, inputs, loss)


def descent_direction(model: nn.Module, inputs: Inputs, loss: Callable[[Tensor], Tensor]) -> OuterDirection:
    """−∇θ of a loss of the model's output, over all trainable parameters; leaves no trace in running statistics.

    Raises:
        SaflexValueError: if nothing trains, or reentrant activation checkpointing hides layers.
    """
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not parameters:
        raise SaflexValueError("the model has no trainable parameter to take Π over")
    with torch.enable_grad(), without_autocast(model):
        logits = traceless_forward(model, inputs)
        value = loss(logits)
        refuse_hidden_layers(logits)
        gradients = torch.autograd.grad(value, list(parameters.values()), allow_unused=True, materialize_grads=True)
    return OuterDirection({name: -gradient for name, gradient in zip(parameters, gradients, strict=True)})
