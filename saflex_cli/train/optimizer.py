"""The optimizer of a recipe and its step schedule."""

from typing import assert_never

import torch
from torch import nn
from torch.optim import Optimizer

from saflex_cli.config.schema import Adam, AdamW, OptimizerConfig, Sgd


def build_optimizer(config: OptimizerConfig, model: nn.Module) -> Optimizer:
    """The optimizer of a recipe, over the trainable parameters."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    match config:
        case Adam():
            return torch.optim.Adam(parameters, config.lr, weight_decay=config.weight_decay, fused=config.fused or None)
        case AdamW():
            return torch.optim.AdamW(
                parameters, config.lr, weight_decay=config.weight_decay, fused=config.fused or None
            )
        case Sgd():
            return torch.optim.SGD(parameters, lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay)
        case _:
            assert_never(config)


def set_learning_rate(optimizer: Optimizer, config: OptimizerConfig, epoch: int) -> None:
    """The step schedule as a function of the epoch (from 0): × gamma at every milestone reached."""
    for group in optimizer.param_groups:
        group["lr"] = config.lr * config.gamma ** sum(epoch >= milestone for milestone in config.milestones)
