"""The records of a probe: one file per run while it is made, one packed file that is committed."""

from collections.abc import Mapping
from pathlib import Path

from saflex_cli.config.identity import find_method
from saflex_cli.config.probe import Probe
from saflex_cli.errors import ResultsError
from saflex_cli.store.files import require_current, write_text
from saflex_cli.store.json_lines import Run, read_lines, write_lines
from saflex_cli.store.probes.record import ProbeRecord


def probe_file(results: Path, probe: Probe, suffix: str) -> Path:
    """`results/probes/<probe>.{jsonl,md,csv,png}`."""
    return results / "probes" / f"{probe.name}.{suffix}"


def record_path(working: Path, run: Run) -> Path:
    """Where the record of a run lies until it is packed, and stays."""
    recipe, method, seed = run
    return working / "records" / recipe / method / f"seed-{seed}.json"


def write_record(working: Path, record: ProbeRecord) -> None:
    """Write one record: the run is then finished.

    Raises:
        ResultsError: if it cannot be written.
    """
    write_text(record_path(working, run_of(record)), record.model_dump_json() + "\n")


def run_of(record: ProbeRecord) -> Run:
    """What tells a record from the others of its probe."""
    return record.report.recipe, record.report.method, record.report.seed


def read_records(results: Path, working: Path | None, probe: Probe) -> tuple[dict[Run, ProbeRecord], dict[Run, str]]:
    """The records of the runs that a probe asks for, and why others that are there cannot be used.

    A packed record comes before one of the working folder.

    Raises:
        ResultsError: names the file and the line that is no record.
    """
    found = read_pack(probe_file(results, probe, "jsonl"))
    current: dict[Run, ProbeRecord] = {}
    stale: dict[Run, str] = {}
    for run in probe.runs:
        places = [found[run]] if run in found else []
        if working is not None:
            places += read_pack(record_path(working, run)).values()
        for record, where in places:
            try:
                _require_current(record, probe, run, where)
                current.setdefault(run, record)
            except ResultsError as error:
                stale.setdefault(run, str(error))
    return current, {run: problem for run, problem in stale.items() if run not in current}


def read_pack(path: Path) -> dict[Run, tuple[ProbeRecord, str]]:
    """Every record of a file with the place where it stands; none if there is no such file.

    Raises:
        ResultsError: names the file and the line, if it cannot be read, is no record or stands there twice.
    """
    return read_lines(path, ProbeRecord, run_of, "record")


def write_pack(results: Path, probe: Probe, records: Mapping[Run, ProbeRecord]) -> None:
    """Write records in the probe's order; what lies there of its other runs stays, be it stale.

    Raises:
        ResultsError: if the file cannot be read or written; it is then as it was.
    """
    path = probe_file(results, probe, "jsonl")
    write_lines(path, read_pack(path), records, probe.runs)


def surplus(results: Path, probe: Probe) -> list[str]:
    """Lines of the packed file that the probe does not ask for."""
    asked = set(probe.runs)
    packed = read_pack(probe_file(results, probe, "jsonl"))
    return [where for run, (_, where) in packed.items() if run not in asked]


def _require_current(record: ProbeRecord, probe: Probe, run: Run, where: str) -> None:
    mend = f"`saflex probe {probe.source} --force` replaces it"
    recipe = next(case.recipe for case in probe.cases if case.recipe.name == run[0])
    require_current(record.report, recipe, find_method(recipe, run[1]), run[2], where=where, mend=mend)
    if record.probe != probe.measure:
        old, new = record.probe.model_dump(), probe.measure.model_dump()
        changed = [f"probe.{name}: {old.get(name)} → {value}" for name, value in new.items() if old.get(name) != value]
        raise ResultsError(f"{where}: was measured otherwise ({'; '.join(changed)}); {mend}")
