"""A finished state under the magnifying glass: predictions on any split, class by class."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from saflex_cli.config.document import Document
from saflex_cli.config.load import validate
from saflex_cli.config.schema import Recipe, SplitName
from saflex_cli.errors import CheckpointError, RecipeError
from saflex_cli.experiment.parts import build_parts
from saflex_cli.store.report import Metrics
from saflex_cli.train.checkpoint import read_checkpoint
from saflex_cli.train.evaluate import metrics, predict
from saflex_cli.train.provenance import resolve_device

_FACTS = {"full_recipe", "method", "seed", "state", "data_sha256"}
"""What a finished state says of itself."""


@dataclass(frozen=True)
class Evaluation:
    """Predictions of one state on one split."""

    recipe: str
    method: str
    seed: int
    split: SplitName
    state: str
    metrics: Metrics
    labels: list[int]
    probabilities: list[list[float]]
    class_names: list[str]


def evaluate_checkpoint(
    path: Path, *, split: SplitName = "test", data_root: Path | None = None, device: str = "auto"
) -> Evaluation:
    """Evaluate a `selected` or `last` checkpoint; its recipe and seed are inside. Writes nothing.

    Raises:
        CheckpointError: if the file cannot be read, or was made from other data or for another model.
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
    parts = build_parts(recipe, facts["method"], facts["seed"], data_root, augmented=False)
    if parts.splits.sha256 != facts["data_sha256"]:
        raise CheckpointError(f"{path}: was trained on other data than {recipe.data.name} is now; train again")
    model = parts.model(target)
    try:
        model.load_state_dict(saved.groups["model"])
    except RuntimeError as error:
        raise CheckpointError(f"{path}: its weights do not fit the model of the recipe; train again") from error
    chosen = getattr(parts.splits, split)
    log_probs = predict(model, chosen.inputs.to(target)).cpu()
    return Evaluation(
        recipe=recipe.name,
        method=facts["method"],
        seed=facts["seed"],
        split=split,
        state=facts["state"],
        metrics=Metrics(**metrics(log_probs, chosen.labels)),
        labels=chosen.labels.tolist(),
        probabilities=log_probs.exp().tolist(),
        class_names=list(parts.splits.class_names),
    )
