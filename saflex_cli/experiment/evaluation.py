"""A finished state under the magnifying glass: predictions on any split, class by class."""

from dataclasses import dataclass
from pathlib import Path

from saflex_cli.config.schema import SplitName
from saflex_cli.experiment.finished import load_finished
from saflex_cli.store.report import Metrics
from saflex_cli.train.evaluate import metrics, predict


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
    finished = load_finished(path, data_root=data_root, device=device)
    chosen = getattr(finished.parts.splits, split)
    log_probs = predict(finished.model, chosen.samples.to(finished.device)).cpu()
    return Evaluation(
        recipe=finished.parts.recipe.name,
        method=finished.parts.method.label,
        seed=finished.parts.seed,
        split=split,
        state=finished.state,
        metrics=Metrics(**metrics(log_probs, chosen.labels)),
        labels=chosen.labels.tolist(),
        probabilities=log_probs.exp().tolist(),
        class_names=list(finished.parts.splits.class_names),
    )
