"""Adam's diagonal preconditioner on the outer direction (E15)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from saflex_cli.core.directional import OuterDirection
from saflex_cli.errors import SaflexValueError


def preconditioned(direction: OuterDirection, model: nn.Module, optimizer: Optimizer) -> OuterDirection:
    """The direction times 1 / (√v̂ + ε), Adam's own estimate.

    The true step is −α P ∇L_batch with P this diagonal matrix, so the outer loss falls by α ⟨P g, ∇L_batch⟩: Π along
    P g.
    P is taken before the step and held fixed. A parameter that Adam has not stepped yet keeps its plain direction.

    Raises:
        SaflexValueError: if the optimizer keeps no second moment, as SGD does, or does not hold the parameters.
    """
    source = direction.head if direction.head is not None else model
    parameters = dict(source.named_parameters())
    groups = {parameter: group for group in optimizer.param_groups for parameter in group["params"]}
    tangents = {}
    for name, tangent in direction.tangents.items():
        group = groups.get(parameters[name])
        if group is None or "betas" not in group or "eps" not in group:
            raise SaflexValueError(f"precondition needs an optimizer of the Adam family that steps {name}")
        state = optimizer.state.get(parameters[name], {})
        tangents[name] = tangent / _denominator(state, group) if state else tangent
    return replace(direction, tangents=tangents)


def _denominator(state: Mapping[str, Tensor], group: Mapping[str, Any]) -> Tensor:
    if "exp_avg_sq" not in state:
        raise SaflexValueError("precondition needs an optimizer of the Adam family, with a second moment (exp_avg_sq)")
    correction = 1 - float(group["betas"][1]) ** int(state["step"])
    return (state["exp_avg_sq"] / correction).sqrt() + float(group["eps"])
