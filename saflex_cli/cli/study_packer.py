"""The reports of a study on their way into packed files."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from saflex_cli.cli.plan import PlannedRun
from saflex_cli.config.study import Cell, Study
from saflex_cli.store.json_lines import Run
from saflex_cli.store.report import Report
from saflex_cli.store.studies.pack import pack_path, sharing_key, write_pack


def run_of(planned: PlannedRun) -> Run:
    """What tells a planned run from the others of its study."""
    return planned.recipe.name, planned.method.label, planned.seed


def key_of(planned: PlannedRun) -> str:
    """Equal for runs that cannot differ."""
    return sharing_key(planned.recipe, planned.method, planned.seed)


def under(run: Run, report: Report) -> Report:
    """The report of a run that cannot differ, under this run's name."""
    return report.model_copy(update={"recipe": run[0], "method": run[1]})


def distinct(plan: Iterable[PlannedRun]) -> list[PlannedRun]:
    """The first of each group of runs that cannot differ."""
    first: dict[str, PlannedRun] = {}
    for planned in plan:
        first.setdefault(key_of(planned), planned)
    return list(first.values())


class Packer:
    """Collects reports, and packs a cell as soon as none of its runs is awaited any longer."""

    def __init__(self, study: Study, plan: Sequence[PlannedRun], results: Path) -> None:
        self._study = study
        self._results = results
        self._reports = {run_of(planned): planned.report for planned in plan if planned.report}
        self._keys = {run_of(planned): key_of(planned) for planned in plan}
        self._sharing: dict[str, list[Run]] = defaultdict(list)
        for run, key in self._keys.items():
            self._sharing[key].append(run)
        self._awaited: set[str] = set()

    def await_runs(self, wanted: Iterable[PlannedRun]) -> None:
        """These are going to be made; cells with one of them wait for it."""
        self._awaited |= {key_of(planned) for planned in wanted}

    def end(self, run: Run, report: Report | None) -> None:
        """A run has ended, with a report or without; so have all that cannot differ from it."""
        key = self._keys[run]
        self._awaited.discard(key)
        if report is not None:
            self._reports |= {twin: under(twin, report) for twin in self._sharing[key]}
        awaited = {name for other in self._awaited for name, *_ in self._sharing[other]}
        ended = {name for name, *_ in self._sharing[key]} - awaited
        self._write(cell for cell in self._study.cells if cell.recipe.name in ended)

    def flush(self) -> None:
        """Pack every report that is there."""
        self._write(self._study.cells)

    def _write(self, cells: Iterable[Cell]) -> None:
        for cell in cells:
            write_pack(pack_path(self._results, self._study, cell), cell, self._reports)
