"""The measurements of a probe, gathered over seeds."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from saflex_cli.config.probe import Case, Probe
from saflex_cli.store.estimates import Estimate, estimate
from saflex_cli.store.json_lines import Run
from saflex_cli.store.probes.pack import read_records
from saflex_cli.store.probes.record import ProbeRecord
from saflex_cli.store.probes.sections import Section, sections


@dataclass(frozen=True)
class Group:
    """All runs of one trained method in one case."""

    case: Case
    method: str
    expected: int
    """Seeds asked for."""
    records: tuple[ProbeRecord, ...]
    """By seed."""
    epochs: tuple[int, ...]
    """When something is measured."""

    def value(self, section: Section, name: str, epoch: int) -> Estimate | None:
        """Mean and deviation over seeds; None where no seed has it."""
        return estimate(self._by_seed(section.key(name), {epoch}))

    def over_epochs(self, section: Section, name: str) -> Estimate | None:
        """The same of each seed's mean over the epochs that have the value."""
        return estimate(self._by_seed(section.key(name), set(self.epochs)))

    def _by_seed(self, key: str, epochs: set[int]) -> dict[int, float]:
        found = {}
        for record in self.records:
            values = [
                moment.values[key] for moment in record.moments if key in moment.values and moment.epoch in epochs
            ]
            if values:
                found[record.report.seed] = sum(values) / len(values)
        return found


@dataclass(frozen=True)
class ProbeData:
    """Everything that tables and figure show."""

    probe: Probe
    records: dict[Run, ProbeRecord]
    stale: dict[Run, str]

    @property
    def is_complete(self) -> bool:
        """Whether every run that is asked for is there."""
        return len(self.records) == len(self.probe.runs)

    @property
    def sections(self) -> tuple[Section, ...]:
        """The tables of every group."""
        return sections(self.probe.measure)

    @property
    def groups(self) -> Iterator[Group]:
        """Case by case, method by method; those without a record are left out."""
        for case in self.probe.cases:
            for method in case.recipe.methods:
                seeds = sorted(case.recipe.seeds_of(method))
                runs = [(case.recipe.name, method.label, seed) for seed in seeds]
                records = tuple(self.records[run] for run in runs if run in self.records)
                if records:
                    yield Group(case, method.label, len(seeds), records, self.probe.measure.epochs)


def build_probe(probe: Probe, results: Path, working: Path | None = None) -> ProbeData:
    """Read the packed records, and with a working folder those that are not packed yet.

    Raises:
        ResultsError: if a file cannot be read.
    """
    return ProbeData(probe, *read_records(results, working, probe))
