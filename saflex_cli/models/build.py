"""From a recipe's `model` to a network with its initial weights."""

import torch
from torch import nn

from saflex_cli.config.schema import ModelConfig
from saflex_cli.models.small_cnn import SmallCnn
from saflex_cli.seeding import Streams


def build_model(config: ModelConfig, *, channels: int, classes: int, streams: Streams) -> nn.Module:
    """The network, initialised from the stream `init`; the global random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(streams.number("init"))
        return SmallCnn(channels=channels, classes=classes, width=config.width, dropout=config.dropout)
