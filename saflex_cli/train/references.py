"""Fit a reference, judge every stage on the validation rows, and say which one they select."""

import time
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float64
from torch import Tensor
from torch.nn import functional

from saflex_cli.config.references import GradientBoosting, LogisticRegression
from saflex_cli.config.schema import Selection
from saflex_cli.data.splits import Split, Splits
from saflex_cli.errors import DataError, RecipeError
from saflex_cli.models.build import fit_reference
from saflex_cli.models.references import FittedReference, Rows
from saflex_cli.seeding import Streams
from saflex_cli.train.evaluate import METRICS, metrics
from saflex_cli.train.loop import better
from saflex_cli.train.steps import train_split

ReferenceMethod = LogisticRegression | GradientBoosting


@dataclass(frozen=True)
class JudgedReference:
    """A fitted reference; its stages count as epochs, from 1."""

    fitted: FittedReference
    best_epoch: int | None
    """The first stage with the best validation value; None where validation rows were trained on."""
    seconds: float
    """Of the fit alone."""
    curve: list[dict[str, Any]]
    """One row of the per-epoch curve for each stage."""

    @property
    def epochs(self) -> int:
        """Stages."""
        return len(self.curve)

    def predict(self, rows: Rows, epoch: int) -> Float64[Tensor, "n classes"]:
        """Log-probabilities after this stage."""
        return next(found for stage, found in enumerate(self.fitted.staged(rows), start=1) if stage == epoch)


def require_rows(method: ReferenceMethod, splits: Splits) -> None:
    """Refuse data that a reference cannot be fitted on.

    Raises:
        RecipeError: if the data are not rows of a table, but images.
        DataError: if a class has no row to fit on.
    """
    train = train_split(method, splits)
    if len(train.shape) != 1:
        raise RecipeError(f"method {method.label} takes rows of a table, and the data are images; leave it out")
    absent = sorted(set(range(splits.classes)) - set(train.labels.tolist()))
    if absent:
        names = ", ".join(splits.class_names[label] for label in absent)
        raise DataError(f"method {method.label}: no training row is of class {names}; add rows of it, or leave it out")


def judge_reference(method: ReferenceMethod, splits: Splits, selection: Selection, streams: Streams) -> JudgedReference:
    """Fit on the CPU, and judge every stage.

    Raises:
        RecipeError: if the data are images.
        DataError: if a class has no row to fit on.
        TrainingError: if the fit does not converge.
    """
    require_rows(method, splits)
    train = train_split(method, splits)
    val = None if "val" in method.train_on else splits.val
    started = time.perf_counter()
    fitted = fit_reference(method, train.inputs, train.labels, levels=splits.levels, streams=streams)
    seconds = time.perf_counter() - started
    curve = _curve(fitted, train, val)
    best = None if val is None else _best(curve, selection)
    return JudgedReference(fitted=fitted, best_epoch=best, seconds=seconds, curve=curve)


def _curve(fitted: FittedReference, train: Split, val: Split | None) -> list[dict[str, Any]]:
    """Loss on the training rows, and all metrics on the validation rows, of every stage."""
    losses = [functional.nll_loss(found, train.labels).item() for found in fitted.staged(train.inputs)]
    judged: list[dict[str, float | None]] = [dict.fromkeys(METRICS) for _ in losses]
    if val is not None:
        judged = [dict(metrics(found, val.labels)) for found in fitted.staged(val.inputs)]
    return [
        {"epoch": epoch, "train_loss": loss, "mean_weight": None, "label_change_rate": None, "dropped_steps": None}
        | {f"val_{name}": value for name, value in values.items()}
        for epoch, (loss, values) in enumerate(zip(losses, judged, strict=True), start=1)
    ]


def _best(curve: list[dict[str, Any]], selection: Selection) -> int:
    best = curve[0]
    for row in curve[1:]:
        if better(row[f"val_{selection.metric}"], best[f"val_{selection.metric}"], selection):
            best = row
    return int(best["epoch"])
