"""From the reports of a table to its numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from saflex_cli.config.identity import find_method
from saflex_cli.store.collect import Reports, collect_reports
from saflex_cli.store.estimates import Difference, Estimate, estimate, paired_difference
from saflex_cli.store.published import Published
from saflex_cli.store.report import SaflexFacts, Scores
from saflex_cli.store.table import Column, Table
from saflex_cli.store.table_config import Metric, Row

Epoch = Literal["selected", "last"]


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


@dataclass(frozen=True)
class Cell:
    """One method in one column. Values are fractions; None where there is nothing to say."""

    seeds: tuple[int, ...]
    """Seeds with a report."""
    expected: int
    """Seeds that the recipe asks for, of this method."""
    usual: int
    """Seeds that the recipe asks for, of any method that says nothing else."""
    selected: Estimate | None
    """Test metric at the epoch that validation chose; None for methods that train on validation."""
    last: Estimate | None
    """Test metric at the last epoch."""
    to_baseline: Comparison | None
    """At the selected epoch, or at the last one if one side has no selected epoch; None for the baseline itself."""
    to_fair: Comparison | None
    """At the last epoch; None for the fair row itself."""
    saflex: SaflexMeans | None
    published: Published | None

    @property
    def headline(self) -> Estimate | None:
        """The selected epoch, or the last one where there is none."""
        return self.selected or self.last


@dataclass(frozen=True)
class TableData:
    """A table with its numbers."""

    table: Table
    cells: tuple[tuple[Cell, ...], ...]
    """By column, then by row, in the table's order."""

    @property
    def reports(self) -> int:
        """Runs with a report."""
        return sum(len(cell.seeds) for column in self.cells for cell in column)

    @property
    def expected(self) -> int:
        """Runs that the recipes ask for."""
        return sum(cell.expected for column in self.cells for cell in column)

    @property
    def is_complete(self) -> bool:
        """Whether every run of every row has its report."""
        return self.reports == self.expected


def build_table(table: Table, results: Path, allow_missing: bool = False) -> TableData:
    """Load the reports of a table and compute its numbers.

    Args:
        table: The table.
        results: The folder that holds `reports/`.
        allow_missing: Use the reports that are there. Stale and unreadable ones are errors all the same.

    Raises:
        ResultsError: lists the reports that are missing, stale or unreadable, and the commands that make them.
    """
    reports = collect_reports(table, results, allow_missing=allow_missing)
    return TableData(table, tuple(_column_cells(table, column, reports) for column in table.columns))


def _column_cells(table: Table, column: Column, reports: Mapping[tuple[str, str], Reports]) -> tuple[Cell, ...]:
    found = {row.key: reports[column.source(row).recipe.name, row.method] for row in table.rows}
    scores = {key: _Scores.of(own, column.metric) for key, own in found.items()}

    def compared(row: Row, reference: str | None, epoch: Epoch) -> Comparison | None:
        if reference in (None, row.method):
            return None
        return scores[row.key].minus(scores[row.key._replace(method=reference)], epoch)

    def cell(row: Row) -> Cell:
        own, recipe = scores[row.key], column.source(row).recipe
        return Cell(
            seeds=tuple(sorted(own.last)),
            expected=len(recipe.seeds_of(find_method(recipe, row.method))),
            usual=len(recipe.seeds),
            selected=estimate(own.selected),
            last=estimate(own.last),
            to_baseline=compared(row, table.baseline, "selected"),
            to_fair=compared(row, table.fair, "last"),
            saflex=_saflex_means(found[row.key]),
            published=column.published.get(row.key),
        )

    return tuple(cell(row) for row in table.rows)


@dataclass(frozen=True)
class _Scores:
    """The test metric of one method, by seed."""

    selected: Mapping[int, float]
    last: Mapping[int, float]

    @classmethod
    def of(cls, reports: Reports, metric: Metric) -> "_Scores":
        value = _VALUES[metric]
        return cls(
            selected={seed: value(report.selected) for seed, report in reports.items() if report.selected},
            last={seed: value(report.last) for seed, report in reports.items()},
        )

    def minus(self, other: "_Scores", epoch: Epoch) -> Comparison | None:
        if epoch == "selected" and not (self.selected and other.selected):
            epoch = "last"
        ours, theirs = (self.selected, other.selected) if epoch == "selected" else (self.last, other.last)
        difference = paired_difference(ours, theirs)
        return Comparison(difference, epoch) if difference else None


_VALUES: Mapping[Metric, Callable[[Scores], float]] = {
    "accuracy": lambda scores: scores.test.accuracy,
    "auroc": lambda scores: scores.test.auroc,
}


def _saflex_means(reports: Reports) -> SaflexMeans | None:
    facts = [report.saflex for report in reports.values() if report.saflex]
    if not facts:
        return None

    def mean(value: Callable[[SaflexFacts], float]) -> float:
        return Estimate(tuple(float(value(fact)) for fact in facts)).mean

    return SaflexMeans(
        weight=mean(lambda fact: fact.mean_weight),
        label_change_rate=mean(lambda fact: fact.label_change_rate),
        dropped_steps=mean(lambda fact: fact.dropped_steps),
    )
