"""From a recipe's `model` to a network with its initial weights."""

import math
from typing import assert_never

import torch
from torch import nn

from saflex_cli.config import components
from saflex_cli.errors import RecipeError
from saflex_cli.models.mlp import Mlp
from saflex_cli.models.resnet import ResNet18
from saflex_cli.models.small_cnn import SmallCnn
from saflex_cli.models.standardise import Standardised
from saflex_cli.seeding import Streams


def build_model(
    config: components.ModelConfig,
    *,
    shape: tuple[int, ...],
    levels: tuple[int, ...] = (),
    classes: int,
    mean: float,
    std: float,
    streams: Streams,
) -> Standardised:
    """The network behind its input normalisation, initialised from the stream `init`.

    The global random state is left alone.

    Args:
        config: From the recipe.
        shape: Of one sample: (C, H, W) of an image, (F,) of a vector.
        levels: Of the categorical columns, the last of a vector's, as in `Splits`.
        classes: K.
        mean: Of the intensities in [0, 1]; subtracted.
        std: Of the intensities; divides what is left.
        streams: Of the run.

    Raises:
        RecipeError: if the network takes images, and the data are vectors.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(streams.number("init"))
        return Standardised(mean, std, _network(config, shape, levels, classes=classes))


def _network(
    config: components.ModelConfig, shape: tuple[int, ...], levels: tuple[int, ...], *, classes: int
) -> nn.Module:
    if not isinstance(config, components.Mlp) and len(shape) != 3:
        raise RecipeError(f"model: {config.name} takes images, and the data are vectors; use {{name: mlp}}")
    if levels:
        raise RecipeError(f"model: {config.name} takes no categorical columns")
    channels = shape[0]
    match config:
        case components.SmallCnn():
            return SmallCnn(channels=channels, classes=classes, width=config.width, dropout=config.dropout)
        case components.ResNet18():
            return ResNet18(channels=channels, classes=classes, width=config.width)
        case components.Mlp():
            return Mlp(inputs=math.prod(shape), classes=classes, hidden=config.hidden, dropout=config.dropout)
        case _:
            assert_never(config)
