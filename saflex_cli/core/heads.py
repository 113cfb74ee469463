"""The classifier layer of a model, found by what it does: the linear layer whose output *is* the model's output.

No name is guessed, so the same code serves timm, torchvision and plain modules, and what it finds is right by
construction:
the logits are linear in that layer's parameters.
"""

import math
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize

from saflex_cli.errors import SaflexValueError

_ADVICE = "; name it with head=… (a module or its dotted name) or use scope='all'"


@dataclass
class HeadRecorder:
    """Remembers the last call of a watched linear layer during a forward pass."""

    layer: nn.Linear | None = None
    features: Float[Tensor, "batch width"] | None = None
    output: Tensor | None = None
    calls: Counter[nn.Module] = field(default_factory=Counter)

    def watch(self, layer: nn.Module, inputs: tuple[Tensor, ...], named: dict[str, Tensor], output: Tensor) -> None:
        """Forward hook."""
        self.calls[layer] += 1
        self.layer, self.output = cast("nn.Linear", layer), output
        self.features = inputs[0] if inputs else named["input"]

    def seen(self, logits: Tensor) -> Float[Tensor, "batch width"]:
        """The input of the layer whose output is the model's output, detached.

        Raises:
            SaflexValueError: if there is no such layer.
        """
        if self.features is None or self.output is not logits:
            raise SaflexValueError("no linear layer gives the model's output directly" + _ADVICE)
        return self.features.detach()

    def resolve(self, model: nn.Module, logits: Tensor) -> tuple[nn.Linear, Float[Tensor, "batch width"]]:
        """The head and its input, given the model's output.

        Raises:
            SaflexValueError: if no layer gives the logits, or if they are not linear in its parameters.
        """
        features = self.seen(logits)
        layer = cast("nn.Linear", self.layer)
        if self.calls[layer] > 1:
            raise SaflexValueError("the classifier layer is called more than once in a forward pass" + _ADVICE)
        seen_as = _seen_as(model, layer)
        if _KNOWN.get(layer) == seen_as:
            return layer, features
        _check_parameters(model, layer)
        scale = float(logits.detach().abs().max()) if len(logits) else math.inf
        if math.isfinite(scale):  # a diverged model has no logits to compare with
            _check_linear(layer, features, logits.detach(), scale)
            _KNOWN[layer] = seen_as
        return layer, features


_KNOWN: WeakKeyDictionary[nn.Module, tuple[object, ...]] = WeakKeyDictionary()
"""Layers that were found to be heads, and as what: a step need not look again, for which a GPU would have to wait."""


def _seen_as(model: nn.Module, layer: nn.Linear) -> tuple[object, ...]:
    """What is different once the layer is in another model or mode, frozen, hooked, replaced or parametrized."""
    own = tuple((name, id(parameter), parameter.requires_grad) for name, parameter in layer.named_parameters())
    hooks = (*layer._forward_hooks, *layer._forward_pre_hooks)  # noqa: SLF001 - torch has no public way to see hooks
    return weakref.ref(model), model.training, type(layer), id(layer.__dict__.get("forward")), own, hooks


def _check_parameters(model: nn.Module, layer: nn.Linear) -> None:
    own = dict(layer.named_parameters(recurse=False))
    if parametrize.is_parametrized(layer) or "weight" not in own:
        raise SaflexValueError("the classifier layer is parametrized (weight norm, pruning, …): use scope='all'")
    if not any(parameter.requires_grad for parameter in own.values()):
        raise SaflexValueError("the classifier layer is frozen, so Π over it is zero: use scope='all'")
    others = (module for module in model.modules() if module is not layer)
    elsewhere = {parameter for module in others for _, parameter in module.named_parameters(recurse=False)}
    if not elsewhere.isdisjoint(own.values()):
        raise SaflexValueError("the classifier layer shares a parameter with another layer: use scope='all'")


def _check_linear(layer: nn.Linear, features: Tensor, logits: Tensor, scale: float) -> None:
    """The logits are what the layer's parameters make of the features: no hook, no scaling, no forward of its own."""
    expected = functional.linear(features, layer.weight, layer.bias).detach()
    tolerance = torch.finfo(logits.dtype).eps ** 0.5
    if not torch.allclose(logits, expected, rtol=tolerance, atol=tolerance * (1 + scale)):
        raise SaflexValueError("the classifier layer is not linear in its parameters: use scope='all'")


@contextmanager
def recorded_head(model: nn.Module, head: nn.Module | str | None) -> Iterator[HeadRecorder]:
    """Watch the named head, or every linear layer, during one forward pass of the model."""
    linear = [named_head(model, head)] if head is not None else [m for m in model.modules() if isinstance(m, nn.Linear)]
    with recorded_layers(linear) as recorder:
        yield recorder


@contextmanager
def recorded_layers(layers: Iterable[nn.Linear]) -> Iterator[HeadRecorder]:
    """Watch layers that are known already during one forward pass: no walk through the model."""
    recorder = HeadRecorder()
    hooks = [layer.register_forward_hook(recorder.watch, with_kwargs=True) for layer in layers]
    try:
        yield recorder
    finally:
        for hook in hooks:
            hook.remove()


def named_head(model: nn.Module, head: nn.Module | str) -> nn.Linear:
    """The linear layer that the caller named.

    Raises:
        SaflexValueError: if it does not exist in the model or is not linear.
    """
    found = dict(model.named_modules()).get(head) if isinstance(head, str) else head
    if found is None or not any(found is module for module in model.modules()):
        raise SaflexValueError(f"head {head!r} is not a module of the model")
    if not isinstance(found, nn.Linear):
        raise SaflexValueError(f"head must be a torch.nn.Linear, not {type(found).__name__}; use scope='all'")
    return found
