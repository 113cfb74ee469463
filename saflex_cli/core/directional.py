"""Forward passes that carry the derivative of the logits along a direction in parameter space."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.func import functional_call

from saflex_cli.core.heads import recorded_layers
from saflex_cli.core.outer_samples import OuterSamples
from saflex_cli.core.passes import (
    Inputs,
    checked_logits,
    copied_buffers,
    differentiable_attention,
    precise,
    preserved_rng,
    traceless_forward,
    without_autocast,
)
from saflex_cli.errors import SaflexValueError

_CHECKPOINTING = (
    "the model uses activation checkpointing, which does not go together with Π over all parameters; "
    "switch it off, or use scope='head'"
)


@dataclass(frozen=True)
class OuterDirection:
    """−∇θ L_outer by parameter name: the direction in which the outer loss falls fastest."""

    tangents: Mapping[str, Tensor]
    """Scope `all`: one entry per trainable parameter. Scope `head`: `weight` and `bias` of the head."""
    head: nn.Linear | None = None
    """The classifier layer, for scope `head`."""
    samples: OuterSamples | None = None
    """Of scope `head`."""


@dataclass(frozen=True)
class DirectionalPass:
    """Logits, and their derivative along the outer direction, of one forward pass."""

    logits: Float[Tensor, "batch classes"]
    velocity: Float[Tensor, "batch classes"]
    features: Float[Tensor, "batch width"] | None = None
    """Of scope `head`: what the layer gets, as the outer samples' view shows it."""


def directional_pass(
    model: nn.Module, inputs: Inputs, direction: OuterDirection, *, training_step: bool
) -> DirectionalPass:
    """One forward pass with the derivative of its logits; leaves no trace unless it is the `training_step`'s own."""
    if direction.head is not None:
        return _head_pass(model, inputs, direction, direction.head, training_step=training_step)
    return _dual_pass(model, inputs, direction.tangents, training_step=training_step)


def _dual_pass(
    model: nn.Module, inputs: Inputs, tangents: Mapping[str, Tensor], *, training_step: bool
) -> DirectionalPass:
    """One forward pass with dual numbers; the primal output keeps its reverse graph after the level is left."""
    if not training_step:
        with preserved_rng(model):
            return _dual_forward(model, inputs, tangents, copied_buffers(model))
    try:
        with torch.autograd.graph.disable_saved_tensors_hooks(_CHECKPOINTING):
            return _dual_forward(model, inputs, tangents, {})
    except RuntimeError as error:
        if _CHECKPOINTING not in str(error):
            raise
        raise SaflexValueError(_CHECKPOINTING) from error


def _dual_forward(
    model: nn.Module, inputs: Inputs, tangents: Mapping[str, Tensor], buffers: Mapping[str, Tensor]
) -> DirectionalPass:
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
    return DirectionalPass(logits, velocity.detach())


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
) -> DirectionalPass:
    """The logits are linear in the head: their derivative is the head's own map with the tangent as parameters."""
    with recorded_layers([head]) as recorder:
        logits = plain_pass(model, inputs, training_step=training_step)
    features = precise(recorder.seen(logits))
    samples = direction.samples
    features = features if samples is None else samples.view.of(features)
    weight, bias = direction.tangents.get("weight"), direction.tangents.get("bias")
    with without_autocast(head):
        velocity = torch.zeros_like(logits, dtype=features.dtype) if weight is None else features @ weight.T
        velocity = velocity if bias is None else velocity + bias
    return DirectionalPass(logits, velocity.detach(), features)


def still_pass(model: nn.Module, inputs: Inputs, *, training_step: bool) -> DirectionalPass:
    """The pass of a model that does not move: a velocity of 0."""
    logits = plain_pass(model, inputs, training_step=training_step)
    return DirectionalPass(logits, torch.zeros_like(logits))


def plain_pass(model: nn.Module, inputs: Inputs, *, training_step: bool) -> Float[Tensor, "batch classes"]:
    """The logits with their graph; leaves no trace unless it is the `training_step`'s own."""
    if training_step:
        return checked_logits(model(inputs))
    with preserved_rng(model):
        return traceless_forward(model, inputs)


def refuse_hidden_layers(logits: Tensor) -> None:
    """Reentrant activation checkpointing hides its layers from both derivatives: Π would silently lack them.

    Raises:
        SaflexValueError: if the graph of the logits holds such layers.
    """
    queue, seen = [logits.grad_fn], set()
    while queue:
        node = queue.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.name() == "CheckpointFunctionBackward":
            raise SaflexValueError(_CHECKPOINTING)
        queue.extend(next_node for next_node, _ in node.next_functions)
