"""The runs of a study: which are done, which to make, and how they are made and packed."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from saflex_cli.cli.catalogue import did_you_mean
from saflex_cli.cli.console import grid, show
from saflex_cli.cli.costs import Costs
from saflex_cli.cli.plan import PlannedRun, plan_runs, select_methods
from saflex_cli.cli.study_packer import Packer, distinct, key_of, run_of, under
from saflex_cli.config.study import Study
from saflex_cli.errors import RecipeError
from saflex_cli.store.report import Report
from saflex_cli.store.studies.pack import current_reports, study_folder, surplus


@dataclass(frozen=True)
class Manner:
    """How runs are made."""

    data_root: Path | None
    device: str
    jobs: int
    force: bool
    keep_models: bool


@dataclass(frozen=True)
class StudyRuns:
    """What a command line selects of a study."""

    study: Study
    results: Path
    working: Path
    """Reports with curves of finished runs, and in `runs/` the checkpoints."""
    chosen: tuple[PlannedRun, ...]
    packer: Packer

    @classmethod
    def plan(
        cls,
        study: Study,
        results: Path,
        working: Path,
        *,
        cells: Sequence[str],
        methods: Sequence[str],
        seeds: Sequence[int],
    ) -> "StudyRuns":
        """Find out what is done.

        Raises:
            RecipeError: if a word selects nothing.
            ResultsError: if a packed file cannot be read.
        """
        every = plan_study(study, results, working)
        chosen = select(every, study, cells=cells, methods=methods, seeds=seeds)
        return cls(study, results, working, tuple(chosen), Packer(study, every, results))

    def announce(self) -> None:
        """How many runs are done, how many are left, and what these may cost."""
        states = [planned.state for planned in self.chosen]
        counts = [f"{states.count('done')} already done"] if "done" in states else []
        counts += [f"{states.count('stale')} stale"] if "stale" in states else []
        waiting = [planned for planned in self.chosen if planned.state == "to do"]
        apart = distinct(waiting)
        if waiting:
            shared = f" ({len(apart)} to make: cells share the others)" if len(apart) < len(waiting) else ""
            counts.append(f"{len(waiting)} to do{shared}")
        cells = len({planned.recipe.name for planned in self.chosen})
        size = f"{cells} cell{'s' if cells > 1 else ''}, {len(states)} run{'s' if len(states) > 1 else ''}"
        where = study_folder(self.results, self.study)
        typer.echo(f"{self.study.name}: {size}, {', '.join(counts)}; results in {where}/")
        for place in surplus(self.results, self.study):
            typer.echo(f"not asked for: {place}", err=True)
        Costs.read({self.results, self.working, Path("results")}).announce(apart, even_if_unknown=True)

    def show(self) -> None:
        """Cell by cell: the runs by state, and what is changed there."""
        table = grid("cell", ">runs", ">done", ">stale", ">to do", "changed")
        for cell in self.study.cells:
            own = [planned.state for planned in self.chosen if planned.recipe.name == cell.recipe.name]
            if own:
                counts = (str(own.count(state) or "") for state in ("done", "stale", "to do"))
                table.add_row(cell.name, str(len(own)), *counts, " ".join(cell.changes))
        show(table)

    def make(self, manner: Manner) -> None:
        """Make what is to do, or everything when forced. A cell is packed when its last run ends, and all at the end.

        On Ctrl-C and on errors, what is finished is packed as well.

        Raises:
            ResultsError: if a report is stale.
            SaflexError: as `saflex_cli.cli.train.execute`.
        """
        from saflex_cli.cli.train import choose, execute
        from saflex_cli.experiment import Places
        from saflex_cli.launch.jobs import Outcome

        wanted = distinct(choose(self.chosen, force=manner.force))
        self.packer.await_runs(wanted)

        def on_end(outcome: Outcome) -> None:
            run = outcome.job.recipe.name, outcome.job.method, outcome.job.seed
            self.packer.end(run, outcome.report)
            if outcome.report is not None and not manner.keep_models:
                _remove_models(self.working, *run)

        try:
            if wanted:
                execute(
                    wanted,
                    Places(results=self.working, runs=self.working / "runs", data_root=manner.data_root),
                    device=manner.device,
                    jobs=manner.jobs,
                    together=False,
                    force=manner.force,
                    on_end=on_end,
                )
        finally:
            self.packer.flush()


def plan_study(study: Study, results: Path, working: Path) -> list[PlannedRun]:
    """Every run, cell by cell. It is done if its report is packed or finished, or that of a run that cannot differ is.

    Raises:
        ResultsError: if a packed file cannot be read.
    """
    mend = f"`saflex study {study.source} --force` replaces it"
    plan: list[PlannedRun] = []
    for cell in study.cells:
        packed, stale = current_reports(results, study, cell, mend=mend)
        for planned in plan_runs([cell.recipe], results=working):
            run = run_of(planned)
            report = packed.get(run) or planned.report
            problem = None if report else stale.get(run) or planned.stale
            plan.append(PlannedRun(planned.recipe, planned.method, planned.seed, report, problem))
    found = {key_of(planned): planned.report for planned in plan if planned.report}
    return [_shared(planned, found) for planned in plan]


def _shared(planned: PlannedRun, found: Mapping[str, Report]) -> PlannedRun:
    twin = found.get(key_of(planned))
    if planned.report is not None or twin is None:
        return planned
    return PlannedRun(planned.recipe, planned.method, planned.seed, under(run_of(planned), twin), None)


def select(
    plan: Sequence[PlannedRun], study: Study, *, cells: Sequence[str], methods: Sequence[str], seeds: Sequence[int]
) -> list[PlannedRun]:
    """The planned runs of these cells (`<curve>/<at>`, or `<curve>` for all of its cells), methods and seeds.

    Raises:
        RecipeError: if a word selects nothing.
    """
    known = dict.fromkeys([*(cell.name for cell in study.cells), *(curve.slug for curve in study.curves)])
    if unknown := [word for word in cells if word not in known]:
        raise RecipeError(f"{study.name} has no cell {unknown[0]!r}; {did_you_mean(unknown[0], known)}")
    asked = {planned.seed for planned in plan}
    if missing := sorted(set(seeds) - asked):
        raise RecipeError(f"{study.name} has no seed {missing[0]}; it has: {', '.join(map(str, sorted(asked)))}")
    labels = {
        cell.recipe.name: {method.label for method in select_methods(cell.recipe, methods)}
        for cell in study.cells
        if not cells or {cell.name, cell.name.split("/")[0]} & set(cells)
    }
    return [
        planned
        for planned in plan
        if planned.method.label in labels.get(planned.recipe.name, ()) and (not seeds or planned.seed in seeds)
    ]


def _remove_models(working: Path, recipe: str, label: str, seed: int) -> None:
    shutil.rmtree(working / "runs" / recipe / label / f"seed-{seed}", ignore_errors=True)
