"""The report of a reference from scikit-learn: fitted as a whole, with no checkpoint to resume from or to keep."""

import time

import torch
from threadpoolctl import threadpool_limits

from saflex_cli.config.identity import config_hash
from saflex_cli.experiment.parts import Parts
from saflex_cli.seeding import Streams
from saflex_cli.store.report import Environment, EpochRow, Metrics, Report, Scores, Selected, Timing
from saflex_cli.train.evaluate import metrics
from saflex_cli.train.provenance import environment
from saflex_cli.train.references import JudgedReference, ReferenceMethod, judge_reference


def run_reference(parts: Parts, method: ReferenceMethod, started: float) -> tuple[Report, list[EpochRow]]:
    """Fit on the CPU with torch's number of threads, evaluate the last and the selected stage, and collect the facts.

    Args:
        parts: Of the run.
        method: Theirs.
        started: When the run began, by `time.perf_counter`.

    Returns:
        The report, and the curve with one row for each stage.

    Raises:
        SaflexError: if the data are not rows, lack a class, or the fit does not converge.
    """
    selection = parts.recipe.selection
    with threadpool_limits(torch.get_num_threads()):
        judged = judge_reference(method, parts.splits, selection, Streams(parts.seed))
        last = _scores(parts, judged, judged.epochs)
        selected = None
        if judged.best_epoch is not None:
            scores = _scores(parts, judged, judged.best_epoch)
            selected = Selected(**dict(scores), metric=selection.metric, split=selection.split)
    report = Report(
        recipe=parts.recipe.name,
        method=parts.method.label,
        seed=parts.seed,
        config=parts.config,
        config_hash=config_hash(parts.config),
        data=parts.data_facts,
        parameters=judged.fitted.parameters,
        selected=selected,
        last=last,
        saflex=None,
        timing=Timing(
            train_seconds=round(judged.seconds, 3),
            total_seconds=round(time.perf_counter() - started, 3),
            steps_per_second=round(judged.fitted.steps / max(judged.seconds, 1e-9), 2),
        ),
        environment=Environment.model_validate(environment(torch.device("cpu"))),
    )
    return report, [EpochRow(**row) for row in judged.curve]


def _scores(parts: Parts, judged: JudgedReference, epoch: int) -> Scores:
    val, test = parts.splits.val, parts.splits.test
    return Scores(
        epoch=epoch,
        val=None if parts.trains_on_val else Metrics(**metrics(judged.predict(val.inputs, epoch), val.labels)),
        test=Metrics(**metrics(judged.predict(test.inputs, epoch), test.labels)),
    )
