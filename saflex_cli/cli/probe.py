"""`saflex probe`: measurements on the states of training runs that do not change them."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saflex_cli.cli.catalogue import complete_probe, find_probe, probes
from saflex_cli.cli.checking import check_each
from saflex_cli.cli.options import DataRoot, Device, DeviceOption, Out
from saflex_cli.errors import ResultsError, SaflexError

if TYPE_CHECKING:
    from saflex_cli.config.probe import Probe

EXAMPLES = """\b
Examples:
  saflex probe probe-decrease --dry-run
  saflex probe recipes/study/probe-knowledge.yaml --data-root DIR --jobs 2
  saflex probe probe-decrease --table
  saflex probe --check"""


def run(
    given: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PROBE]...",
            help="Path or name of a probe; --check alone takes every one.",
            autocompletion=complete_probe,
        ),
    ] = None,
    data_root: DataRoot = None,
    out: Out = None,
    device: DeviceOption = Device.AUTO,
    jobs: Annotated[int, typer.Option(min=1, help="Runs side by side; they share the cores.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would run, and run nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Run again what has a record, and replace it.")] = False,
    table: Annotated[
        bool, typer.Option("--table", help="Run nothing: write tables and figure anew, print the table.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare the committed tables with the packed records; run nothing.")
    ] = False,
) -> None:
    """Train the runs of a probe, measure their states on the way, and write its tables and its figure.

    Finished runs are skipped; one that was stopped begins anew. Packed records, tables and figure lie in
    results/probes/, the records of single runs in runs/probes/NAME/.
    """
    results = out or Path("results")
    if check:
        if any((table, dry_run, force)):
            raise typer.BadParameter("--check takes no other option but --out")
        paths = [find_probe(text) for text in given] if given else list(probes().values())
        check_each(paths, lambda path: _check(path, results))
        return
    if not given:
        raise typer.BadParameter("name a probe (only --check alone takes every one)")
    from saflex_cli.cli.probe_runs import Manner, ProbeRuns
    from saflex_cli.config.probe import load_probe

    _require_extra()
    for text in given:
        probe = load_probe(find_probe(text))
        if table:
            typer.echo(_write(probe, results), nl=False)
            continue
        runs = ProbeRuns.plan(probe, results, (out / "runs" if out else Path("runs")) / "probes" / probe.name)
        runs.announce()
        if dry_run:
            runs.show()
            continue
        runs.make(Manner(data_root, device.value, jobs, force=force))
        _write(probe, results)


def _require_extra() -> None:
    """Before the first run, not after the last."""
    if not (find_spec("matplotlib") and find_spec("cleanlab")):
        raise SaflexError("probes need matplotlib and cleanlab; install them with: pip install 'saflex[study]'")


def _write(probe: "Probe", results: Path) -> str:
    """Write tables and figure from the packed records; gives the Markdown."""
    from saflex_cli.cli.probe_figure import draw_probe
    from saflex_cli.store.files import write_bytes
    from saflex_cli.store.probes.check import write_tables
    from saflex_cli.store.probes.pack import probe_file
    from saflex_cli.store.probes.render import render_md
    from saflex_cli.store.probes.table import build_probe

    data = build_probe(probe, results)
    if not data.records:
        raise ResultsError(f"{probe.name}: no record is packed yet; `saflex probe {probe.source}` makes them")
    figure = probe_file(results, probe, "png")
    write_bytes(figure, draw_probe(data))
    for path in (*write_tables(data, results), figure):
        typer.echo(f"wrote {path}", err=True)
    return render_md(data)


def _check(path: Path, results: Path) -> str:
    from saflex_cli.config.probe import load_probe
    from saflex_cli.store.probes.check import check_probe
    from saflex_cli.store.probes.table import build_probe

    probe = load_probe(path)
    data = build_probe(probe, results)
    if not data.records and not data.stale:
        return f"{probe.name}: not written; 0 of {len(probe.runs)} records are there"
    check_probe(data, results)
    part = "" if data.is_complete else f"; {len(data.records)} of {len(probe.runs)} records are there"
    return f"{probe.name}: as its records say{part}"
