"""BatchNorm statistics estimated anew on clean data, for evaluation alone.

A network trained on augmented batches carries their statistics. This baseline asks how much of a difference is due to
that, and nothing else. `torch.optim.swa_utils.update_bn` would put the whole network into training mode, with dropout.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from saflex_cli.core.passes import evaluation_mode
from saflex_cli.data.splits import Split
from saflex_cli.errors import RecipeError


def batch_norms(model: nn.Module) -> list[_BatchNorm]:
    """The layers with running statistics."""
    return [layer for layer in model.modules() if isinstance(layer, _BatchNorm) and layer.track_running_stats]


def require_batch_norm(model: nn.Module, label: str) -> None:
    """Refuse a model with nothing to estimate anew.

    Raises:
        RecipeError: names the method.
    """
    if not batch_norms(model):
        raise RecipeError(
            f"method {label}: reestimate_batch_norm needs a model with BatchNorm, and this one has none; leave it out, "
            "or choose another model (of an mlp, batch_norm: true)"
        )


@contextmanager
def reestimated(model: nn.Module, clean: Split, size: int, generator: torch.Generator) -> Iterator[None]:
    """Running statistics that are the mean of those of clean batches; afterwards they are what they were.

    One pass in random order, so that classes are mixed, in batches of which each counts alike; a last batch of one
    sample is left out. All layers are estimated in this pass, each behind layers that normalise by the batch, as in
    training; everything else, such as dropout, is in evaluation mode.
    """
    layers = batch_norms(model)
    kept = [{name: buffer.clone() for name, buffer in layer.named_buffers()} for layer in layers]
    try:
        _estimate(model, layers, clean, size, generator)
        yield
    finally:
        for layer, own in zip(layers, kept, strict=True):
            layer.load_state_dict(own, strict=False)


@torch.no_grad()
def _estimate(model: nn.Module, layers: list[_BatchNorm], clean: Split, size: int, generator: torch.Generator) -> None:
    momenta = [layer.momentum for layer in layers]
    order = torch.randperm(len(clean), generator=generator).to(clean.labels.device)
    try:
        with evaluation_mode(model):
            for layer in layers:
                layer.reset_running_stats()
                layer.momentum = None  # a plain mean over all batches since the reset
                layer.train()
            for inputs in clean.stream(chosen for chosen in order.split(size) if len(chosen) > 1):
                model(inputs)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
