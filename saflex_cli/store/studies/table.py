"""From the packed reports of a study to its numbers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from saflex_cli.config.study import Cell, Curve, Epoch, Study
from saflex_cli.errors import ResultsError
from saflex_cli.store.estimates import Difference, Estimate, estimate
from saflex_cli.store.report import Report
from saflex_cli.store.scores import SaflexMeans, SeedScores, saflex_means
from saflex_cli.store.studies.pack import current_reports
from saflex_cli.store.studies.statistics import ALPHA, holm, paired_p, ranks

_SHOWN_STALE = 5


@dataclass(frozen=True)
class Versus:
    """A method against an opponent in one cell, over their common seeds."""

    difference: Difference
    epoch: Epoch
    p: float | None
    """Of the paired t test; None for one seed."""
    adjusted: float | None = None
    """After Holm's correction over the study's tests against this opponent."""

    @property
    def is_significant(self) -> bool:
        """At the level α after the correction."""
        return self.adjusted is not None and self.adjusted <= ALPHA


@dataclass(frozen=True)
class Result:
    """One method in one cell."""

    seeds: tuple[int, ...]
    """Seeds with a report."""
    expected: int
    estimate: Estimate | None
    """Test metric as a fraction, at `epoch`."""
    epoch: Epoch
    """The study's, or the last one where no epoch was selected."""
    saflex: SaflexMeans | None
    versus: Mapping[str, Versus]
    """By opponent; empty for opponents."""

    @property
    def is_complete(self) -> bool:
        """Whether every seed has its report."""
        return len(self.seeds) == self.expected


@dataclass(frozen=True)
class CellData:
    """One cell with its numbers."""

    cell: Cell
    results: Mapping[str, Result]
    """By method label."""


@dataclass(frozen=True)
class CurveData:
    """One curve with its numbers."""

    curve: Curve
    cells: tuple[CellData, ...]


@dataclass(frozen=True)
class Record:
    """A method against one opponent over all cells."""

    wins: int
    """Significantly above."""
    ties: int
    losses: int
    untested: int
    """Cells with fewer than two common seeds, in which nothing can be tested."""
    mean: float | None
    """Mean over cells of the paired differences, as a fraction."""


@dataclass(frozen=True)
class StudyData:
    """A study with its numbers."""

    study: Study
    curves: tuple[CurveData, ...]

    @property
    def cells(self) -> tuple[CellData, ...]:
        """Of all curves, in order."""
        return tuple(cell for curve in self.curves for cell in curve.cells)

    @property
    def reports(self) -> int:
        """Runs with a report."""
        return sum(len(result.seeds) for cell in self.cells for result in cell.results.values())

    @property
    def is_complete(self) -> bool:
        """Whether every run has its report."""
        return self.reports == self.study.runs

    def tests(self, opponent: str) -> list[Versus]:
        """The family of a correction: everything that could be tested against this opponent."""
        compared = (result.versus.get(opponent) for cell in self.cells for result in cell.results.values())
        return [versus for versus in compared if versus is not None and versus.p is not None]

    def record(self, label: str, opponent: str) -> Record:
        """How a method did against an opponent."""
        found = [cell.results[label].versus.get(opponent) for cell in self.cells if label in cell.results]
        compared = [versus for versus in found if versus is not None]
        clear = [versus.difference.mean > 0 for versus in compared if versus.is_significant]
        tested = sum(versus.p is not None for versus in compared)
        return Record(
            wins=sum(clear),
            losses=len(clear) - sum(clear),
            ties=tested - len(clear),
            untested=len(found) - tested,
            mean=fmean(versus.difference.mean for versus in compared) if compared else None,
        )

    def mean_ranks(self) -> tuple[dict[str, float], int]:
        """Mean rank (1 is best) of the methods that all cells have, and over how many cells: those with all seeds."""
        labels = [label for label in self.study.methods if all(label in cell.results for cell in self.cells)]
        ranked = []
        for cell in self.cells:
            found = [cell.results.get(label) for label in labels]
            means = [own.estimate.mean for own in found if own and own.estimate and own.is_complete]
            if len(means) == len(labels):
                ranked.append(ranks(means))
        columns = zip(*ranked, strict=True)
        return {label: fmean(own) for label, own in zip(labels, columns, strict=bool(ranked))}, len(ranked)


def build_study(study: Study, results: Path) -> StudyData:
    """Load the packed reports of a study and compute its numbers, from the reports that are there.

    Raises:
        ResultsError: if reports are stale or unreadable, or if the methods of a cell ran on different data.
    """
    stale: list[ResultsError] = []
    mend = f"`saflex study {study.source} --force` replaces it"
    curves = []
    for curve in study.curves:
        cells = []
        for cell in curve.cells:
            current, problems = current_reports(results, study, cell, mend=mend)
            stale += problems.values()
            cells.append(_cell(study, curve, cell, list(current.values())))
        curves.append(CurveData(curve, tuple(cells)))
    if stale:
        more = len(stale) - _SHOWN_STALE
        shown = [str(error) for error in stale[:_SHOWN_STALE]] + ([f"and {more} more"] if more > 0 else [])
        raise ResultsError("\n".join(shown))
    return _corrected(StudyData(study, tuple(curves)))


def _cell(study: Study, curve: Curve, cell: Cell, reports: list[Report]) -> CellData:
    if len({report.data.sha256 for report in reports}) > 1:
        raise ResultsError(
            f"{cell.recipe.name}: its reports were made on different data; run it anew with "
            f"`saflex study {study.source} --cell {cell.name} --force`"
        )
    own: dict[str, dict[int, Report]] = {method.label: {} for method in cell.recipe.methods}
    for report in reports:
        own[report.method][report.seed] = report
    scores = {label: SeedScores.of(by_seed, curve.metric) for label, by_seed in own.items()}

    def result(label: str, expected: int) -> Result:
        has_selected = study.epoch == "selected" and bool(scores[label].selected)
        values = scores[label].selected if has_selected else scores[label].last
        against = [] if label in study.opponents else study.opponents
        there = [opponent for opponent in against if opponent in scores]
        found = {opponent: _versus(scores[label], scores[opponent], study.epoch) for opponent in there}
        return Result(
            seeds=tuple(sorted(own[label])),
            expected=expected,
            estimate=estimate(values),
            epoch="selected" if has_selected else "last",
            saflex=saflex_means(own[label]),
            versus={opponent: versus for opponent, versus in found.items() if versus is not None},
        )

    expected = {method.label: len(cell.recipe.seeds_of(method)) for method in cell.recipe.methods}
    return CellData(cell, {label: result(label, count) for label, count in expected.items()})


def _versus(ours: SeedScores, theirs: SeedScores, epoch: Epoch) -> Versus | None:
    used, own, other = ours.beside(theirs, epoch)
    comparison = ours.minus(theirs, epoch)
    return Versus(comparison.difference, used, paired_p(own, other)) if comparison else None


def _corrected(data: StudyData) -> StudyData:
    """The same with adjusted p values: one family per opponent."""
    adjusted = {
        opponent: iter(holm([versus.p for versus in data.tests(opponent) if versus.p is not None]))
        for opponent in data.study.opponents
    }

    def versus(result: Result) -> Iterator[tuple[str, Versus]]:
        for opponent, own in result.versus.items():
            yield opponent, own if own.p is None else replace(own, adjusted=next(adjusted[opponent]))

    def corrected(cell: CellData) -> CellData:
        own = {label: replace(result, versus=dict(versus(result))) for label, result in cell.results.items()}
        return replace(cell, results=own)

    # The order is that of `tests`: cell by cell, method by method.
    return replace(
        data, curves=tuple(replace(curve, cells=tuple(map(corrected, curve.cells))) for curve in data.curves)
    )
