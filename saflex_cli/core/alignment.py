"""Π, the alignment of every (sample, class) pair with the outer gradient.

With g = ∇θ L_outer,

    Π_ik = −⟨g, ∇θ log p_k(x_i; θ)⟩

is the rate at which log p_k(x_i) rises when θ moves down the outer loss. To first order, a step on the batch with
weights w and labels y lowers the outer loss by the learning rate times Σ_i w_i Σ_k y_ik Π_ik (Eq. 4, with the sign
that the paper loses between Eq. 7 and 8). Π is one directional derivative of the forward pass along −g; no per-sample
gradient is formed.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.func import functional_call

from saflex_cli.core.heads import recorded_head
from saflex_cli.core.losses import OuterLabels, soft_cross_entropy, soft_labels
from saflex_cli.core.passes import (
    Inputs,
    checked_logits,
    copied_buffers,
    differentiable_attention,
    evaluation_mode,
    precise,
    preserved_rng,
    separate_rng,
    traceless_forward,
    without_autocast,
)
from saflex_cli.errors import SaflexValueError

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


@dataclass(frozen=True)
class OuterDirection:
    """−∇θ L_outer by parameter name: the direction in which the outer loss falls fastest."""

    tangents: Mapping[str, Tensor]
    """Scope `all`: one entry per trainable parameter. Scope `head`: `weight` and `bias` of the head."""
    head: nn.Linear | None = None
    """The classifier layer, for scope `head`."""


@dataclass(frozen=True)
class _Pass:
    """Logits, and their derivative along the outer direction, of one forward pass."""

    logits: Float[Tensor, "batch classes"]
    velocity: Float[Tensor, "batch classes"]


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
        layer),
            in closed form.
        head: The classifier layer or its dotted name, where it cannot be found (scope `head`).
        of: The output f of which Π is the derivative (E2): log-probability, logit or probability.
        sign: −1 for the paper's literal sign (E1).
        mode: `train` leaves every module in the mode it is in; `eval` takes Π in evaluation mode (E9).
        outer_reduction: Mean or sum over the outer batch (E11).

    Raises:
        SaflexValueError: for outputs or labels of the wrong shape, or a head that cannot be found.
    """
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
) -> OuterDirection:
    """−∇θ of the outer cross-entropy (step 1 of Algorithm 1); arguments and side effects as for `alignment`."""
    if mode == "eval":
        with evaluation_mode(model):
            return outer_direction(model, outer_inputs, outer_labels, scope=scope, head=head, reduction=reduction)
    with separate_rng(model):
        if scope == "head":
            return _head_direction(model, outer_inputs, outer_labels, head, reduction)
        return _full_direction(model, outer_inputs, outer_labels, reduction)


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
        then
            advance exactly as in `model(inputs)`. False leaves both untouched.
    """
    if mode == "eval" and any(module.training for module in model.modules()):
        with evaluation_mode(model), torch.no_grad():
            measured = _directional_pass(model, inputs, direction, training_step=False)
        logits = _plain_pass(model, inputs, training_step=training_step)
    else:
        measured = _directional_pass(model, inputs, direction, training_step=training_step)
        logits = measured.logits
    return replace(_derivative(measured, of, sign), logits=logits)


def _full_direction(
    model: nn.Module, inputs: Inputs, labels: OuterLabels, reduction: Literal["mean", "sum"]
) -> OuterDirection:
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not parameters:
        raise SaflexValueError("the model has no trainable parameter to take Π over")
    with torch.enable_grad(), without_autocast(model):
        logits = traceless_forward(model, inputs)
        loss = soft_cross_entropy(logits, soft_labels(labels, logits, "outer_labels"))
        loss = loss * len(logits) if reduction == "sum" else loss
        _refuse_checkpointing(logits)
        gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True, materialize_grads=True)
    return OuterDirection({name: -gradient for name, gradient in zip(parameters, gradients, strict=True)})


def _refuse_checkpointing(logits: Tensor) -> None:
    """Reentrant activation checkpointing hides its layers from both derivatives: Π would silently lack them."""
    queue, seen = [logits.grad_fn], set()
    while queue:
        node = queue.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.name() == "CheckpointFunctionBackward":
            raise SaflexValueError(
                "the model uses activation checkpointing, which hides its layers from Π over all parameters; "
                "switch it off, or use scope='head'"
            )
        queue.extend(next_node for next_node, _ in node.next_functions)


@torch.no_grad()
def _head_direction(
    model: nn.Module,
    inputs: Inputs,
    labels: OuterLabels,
    head: nn.Module | str | None,
    reduction: Literal["mean", "sum"],
) -> OuterDirection:
    with recorded_head(model, head) as recorder:
        logits = traceless_forward(model, inputs)
    layer, features = recorder.resolve(model, logits)
    logits, features = precise(logits), precise(features)
    residual = soft_labels(labels, logits, "outer_labels") - logits.softmax(1)  # (M, K): −∂L/∂z of one sample
    residual = residual / len(logits) if reduction == "mean" else residual
    with without_autocast(model):
        tangents = {"weight": residual.T @ features, "bias": residual.sum(0)}
    trained = {name for name, parameter in layer.named_parameters() if parameter.requires_grad}
    return OuterDirection({name: tangent for name, tangent in tangents.items() if name in trained}, layer)


def _directional_pass(model: nn.Module, inputs: Inputs, direction: OuterDirection, *, training_step: bool) -> _Pass:
    if direction.head is not None:
        return _head_pass(model, inputs, direction, direction.head, training_step=training_step)
    return _dual_pass(model, inputs, direction.tangents, training_step=training_step)


def _dual_pass(model: nn.Module, inputs: Inputs, tangents: Mapping[str, Tensor], *, training_step: bool) -> _Pass:
    """One forward pass with dual numbers; the primal output keeps its reverse graph after the level is left."""
    if not training_step:
        with preserved_rng(model):
            return _dual_forward(model, inputs, tangents, copied_buffers(model))
    return _dual_forward(model, inputs, tangents, {})


def _dual_forward(
    model: nn.Module, inputs: Inputs, tangents: Mapping[str, Tensor], buffers: Mapping[str, Tensor]
) -> _Pass:
    _load_derivative_rules()
    parameters = dict(model.named_parameters())
    with without_autocast(model), differentiable_attention(), forward_ad.dual_level():
        duals = {name: forward_ad.make_dual(parameters[name], tangent) for name, tangent in tangents.items()}
        try:
            output = functional_call(model, {**duals, **buffers}, (inputs,))
        except NotImplementedError as error:
            raise SaflexValueError(
                "the model uses an operation without a forward derivative, so Π over all parameters cannot be taken; "
                f"use scope='head', or replace the operation ({str(error).splitlines()[0]})"
            ) from error
        logits, velocity = forward_ad.unpack_dual(checked_logits(output))
    velocity = torch.zeros_like(logits) if velocity is None else velocity
    return _Pass(logits, velocity.detach())


@cache
def _load_derivative_rules() -> None:
    """Torch loads some forward derivatives at the first dual number, with a deprecation warning about its own code."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit", category=FutureWarning)
        warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)
        with forward_ad.dual_level():
            forward_ad.make_dual(torch.zeros(1), torch.zeros(1))


def _head_pass(
    model: nn.Module, inputs: Inputs, direction: OuterDirection, head: nn.Linear, *, training_step: bool
) -> _Pass:
    """The logits are linear in the head: their derivative is the head's own map with the tangent as parameters."""
    with recorded_head(model, head) as recorder:
        logits = _plain_pass(model, inputs, training_step=training_step)
    features = precise(recorder.seen(logits))
    velocity = torch.zeros_like(logits, dtype=features.dtype)
    with without_autocast(model):
        if "weight" in direction.tangents:
            velocity = velocity + features @ direction.tangents["weight"].T
        if "bias" in direction.tangents:
            velocity = velocity + direction.tangents["bias"]
    return _Pass(logits, velocity.detach())


def _plain_pass(model: nn.Module, inputs: Inputs, *, training_step: bool) -> Float[Tensor, "batch classes"]:
    if training_step:
        return checked_logits(model(inputs))
    with preserved_rng(model):
        return traceless_forward(model, inputs)


def _derivative(measured: _Pass, of: Of, sign: Literal[1, -1]) -> Alignment:
    """From the derivative of the logits to that of f (E2); d log p_k = ż_k − Σ_j p_j ż_j, d p_k = p_k d log p_k."""
    log_probs = precise(measured.logits.detach()).log_softmax(1)
    velocity = precise(measured.velocity)
    if of != "logit":
        # Relative to the largest, so that the largest entry of Π is never below zero by rounding (E3).
        velocity = velocity - velocity.amax(1, keepdim=True)
        velocity = velocity - (log_probs.exp() * velocity).sum(1, keepdim=True)
    if of == "prob":
        velocity = velocity * log_probs.exp()
    return Alignment(measured.logits, sign * velocity, log_probs)
