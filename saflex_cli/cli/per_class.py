"""An evaluation as a table per class, as JSON, and as CSV."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import get_args

import typer
from sklearn.metrics import precision_recall_fscore_support

from saflex_cli.cli.console import grid, show
from saflex_cli.config.metrics import METRIC_NAMES, Metric
from saflex_cli.experiment import Evaluation


@dataclass(frozen=True)
class ClassScores:
    """One class against the rest; a ratio without a denominator is 0."""

    name: str
    n: int
    """Samples of the class."""
    precision: float
    recall: float
    f1: float


def class_scores(evaluation: Evaluation) -> list[ClassScores]:
    """Scores of every class, in order."""
    classes = range(len(evaluation.class_names))
    columns = precision_recall_fscore_support(
        evaluation.labels, list(predicted(evaluation)), labels=list(classes), zero_division=0
    )
    return [
        ClassScores(name=name, n=int(n), precision=float(precision), recall=float(recall), f1=float(f1))
        for name, precision, recall, f1, n in zip(evaluation.class_names, *columns, strict=True)
    ]


def predicted(evaluation: Evaluation) -> Iterator[int]:
    """The most probable class of every sample."""
    for row in evaluation.probabilities:
        yield max(range(len(row)), key=row.__getitem__)


def show_evaluation(evaluation: Evaluation) -> None:
    """Print a table with one line per class, and the metrics below it."""
    run = f"{evaluation.recipe} {evaluation.method} seed {evaluation.seed}"
    typer.echo(f"{run}: {evaluation.split} split, {evaluation.state} epoch, n = {len(evaluation.labels)}")
    table = grid("class", ">n", ">precision", ">recall", ">F1")
    for scores in class_scores(evaluation):
        values = (scores.precision, scores.recall, scores.f1)
        table.add_row(scores.name, str(scores.n), *(f"{100 * value:.1f}" for value in values))
    show(table)
    metrics = evaluation.metrics
    named = {METRIC_NAMES[name]: getattr(metrics, name) for name in get_args(Metric)}
    shares = [f"{name} {100 * value:.2f}" for name, value in named.items() if value is not None]
    typer.echo("   ".join([*shares, f"loss {metrics.loss:.4f}"]))


def print_json(evaluation: Evaluation) -> None:
    """Print everything but the single predictions; values are fractions."""
    content = {
        "recipe": evaluation.recipe,
        "method": evaluation.method,
        "seed": evaluation.seed,
        "split": evaluation.split,
        "state": evaluation.state,
        "n": len(evaluation.labels),
        "metrics": evaluation.metrics.model_dump(),
        "classes": [asdict(scores) for scores in class_scores(evaluation)],
    }
    typer.echo(json.dumps(content, indent=2))


def as_csv(evaluation: Evaluation) -> str:
    """One line per sample: its index in the split, label, predicted class, and the probability of every class."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["index", "label", "predicted", *(f"p_{name}" for name in evaluation.class_names)])
    rows = zip(evaluation.labels, predicted(evaluation), evaluation.probabilities, strict=True)
    for index, (label, best, probabilities) in enumerate(rows):
        writer.writerow([index, label, best, *(f"{probability:.6g}" for probability in probabilities)])
    return text.getvalue()
