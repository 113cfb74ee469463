"""From a recipe's `model` to a network with its initial weights, and from a reference method to a fitted classifier."""

import math
from typing import assert_never

import torch
from jaxtyping import Int
from torch import Tensor, nn

from saflex_cli.config import components
from saflex_cli.config.references import GradientBoosting, LogisticRegression
from saflex_cli.config.tabular_components import Saint
from saflex_cli.errors import RecipeError
from saflex_cli.models.dense_rows import DenseRows
from saflex_cli.models.gradient_boosting import fit_gradient_boosting
from saflex_cli.models.logistic_regression import fit_logistic_regression
from saflex_cli.models.mlp import Mlp
from saflex_cli.models.references import FittedReference, Rows
from saflex_cli.models.resnet import ResNet18
from saflex_cli.models.saint import Saint as SaintNet
from saflex_cli.models.small_cnn import SmallCnn
from saflex_cli.models.standardise import Standardised
from saflex_cli.models.vit import Vit
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
        mean: Of the intensities in [0, 1]; subtracted. Vectors come with mean 0 and std 1, and stay what they are.
        std: Of the intensities; divides what is left.
        streams: Of the run.

    Raises:
        RecipeError: if the network takes images, and the data are vectors, or the other way round.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(streams.number("init"))
        return Standardised(mean, std, _network(config, shape, levels, classes=classes))


def fit_reference(
    config: LogisticRegression | GradientBoosting,
    rows: Rows,
    labels: Int[Tensor, " n"],
    *,
    levels: tuple[int, ...],
    streams: Streams,
) -> FittedReference:
    """The classifier of a reference method, fitted on the CPU with what it draws from the stream `reference`.

    Args:
        config: The method.
        rows: Continuous columns, NaN where missing, then codes, as in `Splits`.
        labels: Every class 0…K−1 occurs.
        levels: Of the categorical columns, the last of a row's, as in `Splits`.
        streams: Of the run.

    Raises:
        TrainingError: if the fit does not converge.
    """
    match config:
        case LogisticRegression():
            return fit_logistic_regression(rows, labels, levels=levels, c=config.c)
        case GradientBoosting():
            return fit_gradient_boosting(
                rows,
                labels,
                levels=levels,
                iterations=config.iterations,
                learning_rate=config.learning_rate,
                random_state=streams.number("reference") % 2**32,
            )
        case _:
            assert_never(config)


def _network(
    config: components.ModelConfig, shape: tuple[int, ...], levels: tuple[int, ...], *, classes: int
) -> nn.Module:
    match config:
        case components.SmallCnn():
            return SmallCnn(
                channels=_channels(config, shape), classes=classes, width=config.width, dropout=config.dropout
            )
        case components.ResNet18():
            return ResNet18(channels=_channels(config, shape), classes=classes, width=config.width)
        case components.Mlp():
            return Mlp(
                inputs=_mlp_inputs(config, shape, levels),
                classes=classes,
                hidden=config.hidden,
                dropout=config.dropout,
                batch_norm=config.batch_norm,
            )
        case components.Vit():
            return _vit(config, shape, classes)
        case Saint():
            return SaintNet(
                continuous=_columns(config, shape) - len(levels),
                levels=levels,
                classes=classes,
                dim=config.dim,
                depth=config.depth,
                heads=config.heads,
                row_attention=config.attention == "column+row",
                attention_dropout=config.attention_dropout,
                feedforward_dropout=config.feedforward_dropout,
            )
        case _:
            assert_never(config)


def _vit(config: components.Vit, shape: tuple[int, ...], classes: int) -> Vit:
    channels = _channels(config, shape)
    height, width = shape[1:]
    if height % config.patch or width % config.patch:
        raise RecipeError(f"model: patch is {config.patch}, which does not divide images of {height} × {width} pixels")
    return Vit(
        shape=(channels, height, width),
        classes=classes,
        patch=config.patch,
        dim=config.dim,
        depth=config.depth,
        heads=config.heads,
    )


def _channels(config: components.SmallCnn | components.ResNet18 | components.Vit, shape: tuple[int, ...]) -> int:
    if len(shape) != 3:
        raise RecipeError(
            f"model: {config.name} takes images, and the data are vectors; use {{name: mlp}} or {{name: saint}}"
        )
    return shape[0]


def _columns(config: Saint, shape: tuple[int, ...]) -> int:
    if len(shape) != 1:
        raise RecipeError(f"model: {config.name} takes rows of a table, and the data are images; use another model")
    return shape[0]


def _mlp_inputs(config: components.Mlp, shape: tuple[int, ...], levels: tuple[int, ...]) -> int | DenseRows:
    if len(shape) == 1:
        return DenseRows(
            continuous=shape[0] - len(levels),
            levels=levels,
            embedding=config.embedding,
            missing_indicator=config.missing_indicator,
        )
    if config.missing_indicator:
        raise RecipeError("model: missing_indicator is for tables, and the data are images; leave it out")
    return math.prod(shape)
