"""A finished state of a run, read back from its checkpoint."""

from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from torch import nn

from saflex_cli.config.document import Document
from saflex_cli.config.load import validate
from saflex_cli.config.schema import Recipe
from saflex_cli.errors import CheckpointError, RecipeError
from saflex_cli.experiment.parts import Parts, build_parts
from saflex_cli.train.checkpoint import read_checkpoint
from saflex_cli.train.provenance import resolve_device

_FACTS = {"full_recipe", "method", "seed", "state", "epoch", "data_sha256"}
"""What a finished state says of itself."""


@dataclass(frozen=True)
class Finished:
    """A trained model, with what its run was made of."""

    parts: Parts
    model: nn.Module
    device: torch.device
    state: str
    """`selected` or `last`."""
    epoch: int
    """Epochs trained."""


def load_finished(path: Path, *, data_root: Path | None, device: str, augmented: bool = False) -> Finished:
    """Read a `selected` or `last` checkpoint; its recipe and seed are inside.

    Without `augmented` the upstream augmentation is left out.

    Raises:
        CheckpointError: if the file cannot be read, or was made from other data or for another model.
        DataError: if data, or with `augmented` pre-made samples, cannot be used.
    """
    target = resolve_device(device)
    saved = read_checkpoint(path)
    facts = saved.facts
    if not facts.keys() >= _FACTS or "model" not in saved.groups:
        raise CheckpointError(f"{path}: is a run under way; finish it with saflex train, then use selected or last")
    try:
        recipe = validate(facts["full_recipe"], Recipe, Document(path, {}, {}))
    except (RecipeError, ValidationError) as error:
        raise CheckpointError(f"{path}: was made by another version of saflex ({error}); train again") from error
    parts = build_parts(recipe, facts["method"], facts["seed"], data_root, augmented=augmented)
    if parts.splits.sha256 != facts["data_sha256"]:
        raise CheckpointError(f"{path}: was trained on other data than {recipe.data.name} is now; train again")
    model = parts.model(target)
    try:
        model.load_state_dict(saved.groups["model"])
    except RuntimeError as error:
        raise CheckpointError(f"{path}: its weights do not fit the model of the recipe; train again") from error
    return Finished(parts, model, target, facts["state"], facts["epoch"])
