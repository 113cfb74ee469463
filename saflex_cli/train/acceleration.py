"""What makes a device faster: memory layout, compilation, half precision. None of it changes what is trained."""

import torch
from torch import nn

from saflex_cli.config.schema import Train
from saflex_cli.models.standardise import Standardised

_GRAPHS = 64
"""Compiled forms of the parts of one run: by part, training or not, and shape of the batch. torch's own limit of 8 is
for all parts and runs of a process together, and what comes after it is not compiled."""


def accelerate(model: Standardised, config: Train) -> None:
    """Lay out and compile a model in place; the names of its state stay as they are.

    Every part of the network but its last layer is compiled by itself: the core watches the last layer, and a hook on
    a compiled module would not be called.
    """
    if config.channels_last:
        model.to(memory_format=torch.channels_last)
        model.channels_last = True
    if config.compile:
        torch.compiler.reset()
        torch._dynamo.config.cache_size_limit = _GRAPHS  # noqa: SLF001 - older torch has no public way
        for part in model.net.children():
            if not isinstance(part, nn.Linear):
                part.compile()


def autocast(device: torch.device, config: Train) -> torch.autocast:
    """The context of a training pass in the recipe's precision."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=config.precision == "bfloat16")
