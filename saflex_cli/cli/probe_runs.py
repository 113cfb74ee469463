"""The runs of a probe: which are done, which to make, and how they are made and packed."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import typer

from saflex_cli.cli.console import grid, show
from saflex_cli.cli.plan import PlannedRun
from saflex_cli.config.identity import find_method
from saflex_cli.config.probe import Probe
from saflex_cli.errors import ResultsError
from saflex_cli.store.probes.pack import probe_file, read_pack, record_path, surplus, write_pack
from saflex_cli.store.probes.record import ProbeRecord
from saflex_cli.store.probes.table import ProbeData, build_probe


@dataclass(frozen=True)
class Manner:
    """How runs are made."""

    data_root: Path | None
    device: str
    jobs: int
    force: bool


@dataclass(frozen=True)
class ProbeRuns:
    """What a probe asks for, and what is there."""

    data: ProbeData
    results: Path
    working: Path
    """Records of finished runs."""
    planned: tuple[PlannedRun, ...]

    @classmethod
    def plan(cls, probe: Probe, results: Path, working: Path) -> "ProbeRuns":
        """Find out what is done.

        Raises:
            ResultsError: if a packed file cannot be read.
        """
        data = build_probe(probe, results, working)
        recipes = {case.recipe.name: case.recipe for case in probe.cases}
        planned = []
        for run in probe.runs:
            record, stale = data.records.get(run), data.stale.get(run)
            recipe = recipes[run[0]]
            report = None if record is None else record.report
            error = None if stale is None else ResultsError(stale)
            planned.append(PlannedRun(recipe, find_method(recipe, run[1]), run[2], report, error))
        return cls(data, results, working, tuple(planned))

    def announce(self) -> None:
        """How many runs are done, and how many are left."""
        counts = Counter(planned.state for planned in self.planned)
        names = {"done": "already done", "stale": "stale", "to do": "to do"}
        said = ", ".join(f"{count} {names[state]}" for state, count in sorted(counts.items()))
        where = probe_file(self.results, self.data.probe, "jsonl")
        typer.echo(f"{self.data.probe.name}: {len(self.planned)} runs, {said}; results in {where}")
        for place in surplus(self.results, self.data.probe):
            typer.echo(f"not asked for: {place}", err=True)

    def show(self) -> None:
        """Case by case: the runs by state, and what is changed there."""
        table = grid("case", ">runs", ">done", ">stale", ">to do", "changed")
        for case in self.data.probe.cases:
            own = [planned.state for planned in self.planned if planned.recipe is case.recipe]
            counts = (str(own.count(state) or "") for state in ("done", "stale", "to do"))
            table.add_row(case.title, str(len(own)), *counts, " ".join(case.changes))
        show(table)

    def make(self, manner: Manner) -> None:
        """Make what is to do, or everything when forced, and pack it; on Ctrl-C and on errors what is finished.

        Raises:
            ResultsError: if a record is stale.
            SaflexError: as `saflex_cli.cli.train.execute`.
        """
        from saflex_cli.cli.train import choose, execute
        from saflex_cli.experiment import Places
        from saflex_cli.experiment.probe import ProbedRun
        from saflex_cli.launch.jobs import Outcome

        wanted = choose(self.planned, force=manner.force)
        records = {} if manner.force else dict(self.data.records)

        def on_end(outcome: Outcome) -> None:
            if outcome.report is not None:
                run = outcome.job.recipe.name, outcome.job.method, outcome.job.seed
                records[run] = self._written(run)

        try:
            if wanted:
                execute(
                    wanted,
                    Places(data_root=manner.data_root),
                    device=manner.device,
                    jobs=manner.jobs,
                    together=False,
                    force=True,
                    on_end=on_end,
                    run=ProbedRun(self.data.probe.measure, self.working),
                )
        finally:
            write_pack(self.results, self.data.probe, records)

    def _written(self, run: tuple[str, str, int]) -> ProbeRecord:
        return read_pack(record_path(self.working, run))[run][0]
