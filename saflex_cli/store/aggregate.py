"""From the reports of a table to its numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from saflex_cli.config.identity import find_method
from saflex_cli.store.collect import collect_reports
from saflex_cli.store.estimates import Estimate, estimate
from saflex_cli.store.published import Published
from saflex_cli.store.scores import Comparison, Epoch, Reports, SaflexMeans, SeedScores, saflex_means
from saflex_cli.store.table import Column, Table
from saflex_cli.store.table_config import Row


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
    scores = {key: SeedScores.of(own, column.metric) for key, own in found.items()}

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
            saflex=saflex_means(found[row.key]),
            published=column.published.get(row.key),
        )

    return tuple(cell(row) for row in table.rows)
