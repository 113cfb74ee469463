"""Where all seeds of a cell stand, and the checkpoint that keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from saflex_cli.errors import CheckpointError, TrainingError
from saflex_cli.models.mlp_stack import MlpStack
from saflex_cli.train.checkpoint import (
    Checkpoint,
    optimizer_tensors,
    read_checkpoint,
    restore_optimizer,
    write_checkpoint,
)
from saflex_cli.train.loop import TrainingState
from saflex_cli.train.step import State


@dataclass
class Program:
    """Where the seeds stand after some epochs."""

    states: list[TrainingState]
    """One per seed; `best` is empty until the end."""
    best: State
    """Of every seed at its best epoch, in the form of the stack's parameters."""
    failures: dict[int, TrainingError] = field(default_factory=dict)
    """Why a seed cannot be reported, by its place: the others go on."""

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return self.states[0].epoch


def save(
    path: Path,
    stack: MlpStack,
    optimizer: Optimizer,
    program: Program,
    identity: Mapping[str, Any],
    seeds: Sequence[int],
) -> None:
    """Write one checkpoint for all seeds.

    Raises:
        CheckpointError: if it cannot be written.
    """
    states = [{name: value for name, value in vars(state).items() if name != "best"} for state in program.states]
    facts = {"identity": identity, "seeds": seeds, "sizes": stack.sizes, "states": states}
    groups = {"model": stack.parameters, "best": program.best, "optimizer": optimizer_tensors(optimizer)}
    write_checkpoint(path, Checkpoint(groups, facts))


def resume(
    path: Path, stack: MlpStack, optimizer: Optimizer, identity: Mapping[str, Any], seeds: Sequence[int]
) -> Program:
    """Go on from a checkpoint that holds these seeds, be it among others, or else from the start.

    Raises:
        CheckpointError: if the checkpoint is there but cannot be read.
    """
    best = {name: tensor.detach().clone() for name, tensor in stack.parameters.items()}
    fresh = Program([TrainingState() for _ in seeds], best)
    if not path.exists():
        return fresh
    saved = read_checkpoint(path)
    if saved.facts.get("identity") != identity or not set(seeds) <= set(saved.facts["seeds"]):
        return fresh
    try:
        return _restore(saved, stack, optimizer, seeds)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path}: does not fit this version of saflex; delete it, or train again with --force"
        ) from error


def _restore(saved: Checkpoint, stack: MlpStack, optimizer: Optimizer, seeds: Sequence[int]) -> Program:
    places = [saved.facts["seeds"].index(seed) for seed in seeds]
    sizes: dict[str, list[int]] = saved.facts["sizes"]
    names = list(stack.parameters)

    def chosen(tensor: Tensor, name: str) -> Tensor:
        """The parts of these seeds; a count of steps is the same for all."""
        parts = tensor.split(sizes[name]) if tensor.ndim else ()
        return torch.cat([parts[place] for place in places]) if parts else tensor

    kept = {name: chosen(tensor, name) for name, tensor in saved.groups["model"].items()}
    with torch.no_grad():
        for name, parameter in stack.parameters.items():
            parameter.copy_(kept[name])
    optimizer_state = saved.groups.get("optimizer", {})
    restore_optimizer(
        optimizer,
        {key: chosen(tensor, names[int(key.partition(".")[0])]) for key, tensor in optimizer_state.items()},
    )
    best = {
        name: chosen(tensor, name).to(stack.parameters[name].device) for name, tensor in saved.groups["best"].items()
    }
    return Program([TrainingState(**saved.facts["states"][place]) for place in places], best)
