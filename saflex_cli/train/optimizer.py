"""The optimizer of a recipe and its step schedule."""

from collections.abc import Iterable
from typing import Any, assert_never

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from saflex_cli.config.schema import Adam, AdamW, OptimizerConfig, Sgd


def build_optimizer(config: OptimizerConfig, model: nn.Module) -> Optimizer:
    """The optimizer of a recipe, over the trainable parameters."""
    return optimizer_of(config, [parameter for parameter in model.parameters() if parameter.requires_grad])


def optimizer_of(config: OptimizerConfig, parameters: Iterable[Tensor], *, foreach: bool | None = None) -> Optimizer:
    """The same over any parameters; `foreach` as torch's optimizers take it."""
    shared: dict[str, Any] = {"lr": config.lr, "weight_decay": config.weight_decay, "foreach": foreach}
    match config:
        case Adam():
            return torch.optim.Adam(parameters, **shared, fused=config.fused or None)
        case AdamW():
            return torch.optim.AdamW(parameters, **shared, fused=config.fused or None)
        case Sgd():
            return torch.optim.SGD(parameters, momentum=config.momentum, **shared)
        case _:
            assert_never(config)


def set_learning_rate(optimizer: Optimizer, config: OptimizerConfig, epoch: int) -> None:
    """The step schedule as a function of the epoch (from 0): × gamma at every milestone reached."""
    for group in optimizer.param_groups:
        group["lr"] = config.lr * config.gamma ** sum(epoch >= milestone for milestone in config.milestones)
