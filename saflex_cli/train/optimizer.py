"""The optimizer of a recipe and its step schedule."""

import torch
from torch import nn
from torch.optim import Optimizer

from saflex_cli.config.schema import Adam, OptimizerConfig


def build_optimizer(config: OptimizerConfig, model: nn.Module) -> Optimizer:
    """The optimizer of a recipe, over the trainable parameters."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if isinstance(config, Adam):
        return torch.optim.Adam(parameters, lr=config.lr, weight_decay=config.weight_decay)
    return torch.optim.SGD(parameters, lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay)


def set_learning_rate(optimizer: Optimizer, config: OptimizerConfig, epoch: int) -> None:
    """The step schedule as a function of the epoch (from 0): × gamma at every milestone reached."""
    for group in optimizer.param_groups:
        group["lr"] = config.lr * config.gamma ** sum(epoch >= milestone for milestone in config.milestones)
