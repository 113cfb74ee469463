"""The test metric of one method seed by seed, and what SAFLEX did in its runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from saflex_cli.config.metrics import METRIC_NAMES, Metric
from saflex_cli.errors import ResultsError
from saflex_cli.store.estimates import Difference, paired_difference
from saflex_cli.store.report import LabelFacts, Report, Scores

Epoch = Literal["selected", "last"]
Reports = Mapping[int, Report]
"""The reports of one method, by seed."""


@dataclass(frozen=True)
class Comparison:
    """A row against a reference row, at the same kind of epoch on both sides."""

    difference: Difference
    epoch: Epoch


@dataclass(frozen=True)
class SaflexMeans:
    """What SAFLEX did, averaged over seeds."""

    weight: float
    """Mean sample weight before normalisation."""
    label_change_rate: float
    """Share of samples whose largest label entry is not the upstream label's."""
    dropped_steps: float
    """Steps per run in which every weight was zero."""
    labels: "LabelMeans | None"
    """None where true classes are not known."""


@dataclass(frozen=True)
class LabelMeans:
    """What SAFLEX did to wrong and to right upstream labels, averaged over seeds; None where there are none."""

    weight_wrong: float | None
    weight_right: float | None
    recovered: float | None
    """Share of the wrong whose learned label is the true class."""
    kept: float | None
    """Share of the right whose learned label still is."""


@dataclass(frozen=True)
class SeedScores:
    """The test metric of one method, by seed."""

    selected: Mapping[int, float]
    last: Mapping[int, float]

    @classmethod
    def of(cls, reports: Reports, metric: Metric) -> "SeedScores":
        """Read them from reports.

        Raises:
            ResultsError: if a report is older than the metric.
        """
        return cls(
            selected={seed: _value(r.selected, metric, r) for seed, r in reports.items() if r.selected},
            last={seed: _value(r.last, metric, r) for seed, r in reports.items()},
        )

    def beside(self, other: "SeedScores", epoch: Epoch) -> tuple[Epoch, Mapping[int, float], Mapping[int, float]]:
        """Both sides at one kind of epoch: the selected one only if both have it."""
        if epoch == "selected" and self.selected and other.selected:
            return "selected", self.selected, other.selected
        return "last", self.last, other.last

    def minus(self, other: "SeedScores", epoch: Epoch) -> Comparison | None:
        """The paired difference; None without a common seed."""
        used, ours, theirs = self.beside(other, epoch)
        difference = paired_difference(ours, theirs)
        return Comparison(difference, used) if difference else None


def _value(scores: Scores, metric: Metric, report: Report) -> float:
    value: float | None = getattr(scores.test, metric)
    if value is None:
        raise ResultsError(
            f"{report.recipe} {report.method} seed {report.seed}: its report is from before {METRIC_NAMES[metric]} was "
            "recorded; `saflex train … --force` makes it again"
        )
    return value


def saflex_means(reports: Reports) -> SaflexMeans | None:
    """The means over seeds; None where SAFLEX had no part."""
    facts = [report.saflex for report in reports.values() if report.saflex]
    if not facts:
        return None
    labels = [fact.labels for fact in facts if fact.labels]
    return SaflexMeans(
        weight=fmean(fact.mean_weight for fact in facts),
        label_change_rate=fmean(fact.label_change_rate for fact in facts),
        dropped_steps=fmean(fact.dropped_steps for fact in facts),
        labels=_label_means(labels) if len(labels) == len(facts) else None,
    )


def _label_means(facts: Sequence[LabelFacts]) -> LabelMeans:
    def mean(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return fmean(known) if known else None

    return LabelMeans(
        weight_wrong=mean([fact.mean_weight_wrong for fact in facts]),
        weight_right=mean([fact.mean_weight_right for fact in facts]),
        recovered=mean([fact.recovered for fact in facts]),
        kept=mean([fact.kept for fact in facts]),
    )
