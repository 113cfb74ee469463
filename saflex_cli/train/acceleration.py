"""What makes a device faster: memory layout, compilation, half precision. None of it changes what is trained."""

import torch
from torch import nn

from saflex_cli.config.schema import Train
from saflex_cli.models.standardise import Standardised


def accelerate(model: Standardised, config: Train) -> None:
    """Lay out and compile a model in place; the names of its state stay as they are.

    Every part of the network but its last layer is compiled by itself: the core watches the last layer, and a hook on
    a compiled module would not be called.
    """
    if config.channels_last:
        model.to(memory_format=torch.channels_last)
        model.channels_last = True
    if config.compile:
        for part in model.net.children():
            if not isinstance(part, nn.Linear):
                part.compile()


def autocast(device: torch.device, config: Train) -> torch.autocast:
    """The context of a training pass in the recipe's precision."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=config.precision == "bfloat16")
