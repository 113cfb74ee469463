"""The intermediate features of a model: which layers give them, and how they are taken from a forward pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from saflex_cli.errors import RecipeError


@runtime_checkable
class HasFeatureLayers(Protocol):
    """A model that says where its intermediate features are."""

    def feature_layers(self) -> list[nn.Module]:
        """Modules with outputs of shape (B, C, …), from input to output."""


def feature_layers(model: nn.Module) -> list[nn.Module]:
    """The layers that a model names.

    Raises:
        RecipeError: if it names none.
    """
    if not isinstance(model, HasFeatureLayers):
        raise RecipeError(
            f"the model {type(model).__name__} does not say where its intermediate features are, and a method needs "
            "them; give it a method feature_layers() that returns the layers"
        )
    return model.feature_layers()


@contextmanager
def captured_outputs(layers: list[nn.Module]) -> Iterator[list[Tensor]]:
    """A list that the layers' outputs are appended to, in the order in which they run."""
    outputs: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        outputs.append(output)

    handles = [layer.register_forward_hook(keep) for layer in layers]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()
