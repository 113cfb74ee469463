"""Checkpoints as safetensors: tensors and one JSON text, never pickled code; written atomically."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer

from saflex_cli.errors import CheckpointError

_KEY = "saflex"


@dataclass(frozen=True)
class Checkpoint:
    """Named groups of tensors, and facts."""

    groups: dict[str, dict[str, Tensor]]
    """Such as `model`, `best`, `optimizer`; group names hold no slash."""
    facts: dict[str, Any]
    """JSON."""


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write to a temporary file beside the target, then rename: the target is whole or absent.

    Raises:
        CheckpointError: if it cannot be written.
    """
    tensors = {
        f"{group}/{name}": tensor.detach().cpu().contiguous().clone()
        for group, content in checkpoint.groups.items()
        for name, tensor in content.items()
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    metadata = {_KEY: json.dumps(checkpoint.facts)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            save_file(tensors, temporary, metadata=metadata)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: cannot be written ({error}); check space and permissions") from error


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint onto the CPU.

    Raises:
        CheckpointError: if the file is missing, truncated, or not a checkpoint of this program.
    """
    groups: dict[str, dict[str, Tensor]] = {}
    try:
        with safe_open(path, framework="pt", device="cpu") as handle:
            facts = json.loads((handle.metadata() or {})[_KEY])
            for key in handle.keys():  # noqa: SIM118 - not a dictionary
                group, _, name = key.partition("/")
                groups.setdefault(group, {})[name] = handle.get_tensor(key)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such checkpoint; train the run first, or check the path") from error
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"{path}: is not a whole saflex checkpoint ({type(error).__name__}); delete it, or train again with --force"
        ) from error
    return Checkpoint(groups, facts)


def optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    """The optimizer's state as flat tensors, by parameter number and name."""
    state = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": value if isinstance(value, Tensor) else torch.tensor(value)
        for number, entries in state.items()
        for name, value in entries.items()
        if value is not None
    }


def restore_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` gave; the groups keep the recipe's settings."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
