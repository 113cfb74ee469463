"""The classifier layer of a model, found by what it does: the linear layer whose output *is* the model's output.

No name is guessed, so the same code serves timm, torchvision and plain modules, and what it finds is right by
construction:
the logits are linear in that layer's parameters.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

from saflex_cli.errors import SaflexValueError

_ADVICE = "; name it with head=… (a module or its dotted name) or use scope='all'"


@dataclass
class HeadRecorder:
    """Remembers the last call of a watched linear layer during a forward pass."""

    layer: nn.Linear | None = None
    features: Float[Tensor, "batch width"] | None = None
    output: Tensor | None = None
    calls: int = 0

    def watch(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """Forward hook."""
        self.calls = self.calls + 1 if layer is self.layer else 1
        self.layer, self.features, self.output = cast("nn.Linear", layer), inputs[0], output

    def resolve(self, logits: Tensor) -> tuple[nn.Linear, Float[Tensor, "batch width"]]:
        """The head and its input, detached, given the model's output.

        Raises:
            SaflexValueError: if the logits are not the output of a watched linear layer, or not linear in its
            parameters.
        """
        if self.layer is None or self.features is None or self.output is not logits:
            raise SaflexValueError("no linear layer gives the model's output directly" + _ADVICE)
        if self.calls > 1:
            raise SaflexValueError("the classifier layer is called more than once in a forward pass" + _ADVICE)
        if parametrize.is_parametrized(self.layer):
            raise SaflexValueError("the classifier layer is parametrized (weight norm, …): use scope='all'")
        if not any(parameter.requires_grad for parameter in self.layer.parameters()):
            raise SaflexValueError("the classifier layer is frozen, so Π over it is zero; use scope='all'")
        return self.layer, self.features.detach()


@contextmanager
def recorded_head(model: nn.Module, head: nn.Module | str | None) -> Iterator[HeadRecorder]:
    """Watch the named head, or every linear layer, during one forward pass of the model."""
    recorder = HeadRecorder()
    watched = (
        [named_head(model, head)] if head is not None else [m for m in model.modules() if isinstance(m, nn.Linear)]
    )
    hooks = [layer.register_forward_hook(recorder.watch) for layer in watched]
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
    modules = dict(model.named_modules())
    found = modules.get(head) if isinstance(head, str) else head
    if found is None or not any(found is module for module in modules.values()):
        raise SaflexValueError(f"head {head!r} is not a module of the model")
    if not isinstance(found, nn.Linear):
        raise SaflexValueError(f"head must be a torch.nn.Linear, not {type(found).__name__}; use scope='all'")
    return found
