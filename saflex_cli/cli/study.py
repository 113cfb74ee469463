"""`saflex study`: methods over data sets, augmentations and strengths, with paired seeds."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saflex_cli.cli.catalogue import complete_study, find_study, studies
from saflex_cli.cli.checking import check_each
from saflex_cli.cli.options import DataRoot, Device, DeviceOption, Out
from saflex_cli.errors import ResultsError, SaflexError

if TYPE_CHECKING:
    from saflex_cli.config.study import Study

EXAMPLES = """\b
Examples:
  saflex study example --dry-run
  saflex study recipes/study/example.yaml --jobs 2
  saflex study example --cell digits --method saflex_proximal --seed 0
  saflex study example --table
  saflex study --check"""


def run(
    given: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STUDY]...",
            help="Path or name of a study; --check alone takes every one.",
            autocompletion=complete_study,
        ),
    ] = None,
    cell: Annotated[
        list[str] | None,
        typer.Option(metavar="CURVE[/AT]", help="Only this cell, or the cells of this curve; repeatable."),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="Only this method, or all of this name (`saflex`); repeatable."),
    ] = None,
    seed: Annotated[list[int] | None, typer.Option(min=0, help="Only this seed of the study; repeatable.")] = None,
    data_root: DataRoot = None,
    out: Out = None,
    device: DeviceOption = Device.AUTO,
    jobs: Annotated[int, typer.Option(min=1, help="Runs side by side; they share the cores.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would run, and run nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Run again what has a report, and replace it.")] = False,
    table: Annotated[
        bool, typer.Option("--table", help="Run nothing: write tables and figure anew, print the table.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare the committed tables with the packed reports; run nothing.")
    ] = False,
    keep_models: Annotated[
        bool, typer.Option("--keep-models", help="Keep the trained models, in the working folder.")
    ] = False,
) -> None:
    """Run every cell of a study, pack its reports, and write its tables and its figure.

    Finished runs are skipped, and an interrupted run goes on from its last epoch. Packed reports, tables and figure lie
    in results/studies/, everything else in runs/studies/NAME/.
    """
    results = out or Path("results")
    if check:
        if any((table, dry_run, force, cell, method, seed)):
            raise typer.BadParameter("--check takes no other option but --out")
        paths = [find_study(text) for text in given] if given else list(studies().values())
        check_each(paths, lambda path: _check(path, results))
        return
    if not given:
        raise typer.BadParameter("name a study (only --check alone takes every one)")
    from saflex_cli.cli.study_runs import Manner, StudyRuns
    from saflex_cli.config.study import load_study

    _require_extra()
    for text in given:
        study = load_study(find_study(text))
        if table:
            typer.echo(_write(study, results), nl=False)
            continue
        working = (out / "runs" if out else Path("runs")) / "studies" / study.name
        runs = StudyRuns.plan(study, results, working, cells=cell or [], methods=method or [], seeds=seed or [])
        runs.announce()
        if dry_run:
            runs.show()
            continue
        runs.make(Manner(data_root, device.value, jobs, force=force, keep_models=keep_models))
        _write(study, results)


def _require_extra() -> None:
    """Before the first run, not after the last."""
    if not (find_spec("matplotlib") and find_spec("statsmodels")):
        raise SaflexError("studies need matplotlib and statsmodels; install them with: pip install 'saflex[study]'")


def _write(study: "Study", results: Path) -> str:
    """Write tables and figure from the packed reports; gives the Markdown."""
    from saflex_cli.cli.study_figure import draw_study
    from saflex_cli.store.files import write_bytes
    from saflex_cli.store.studies.check import study_file, write_study
    from saflex_cli.store.studies.choice import choose
    from saflex_cli.store.studies.render import render_md
    from saflex_cli.store.studies.table import build_study

    data = build_study(study, results)
    if not data.reports:
        raise ResultsError(f"{study.name}: no report is packed yet; `saflex study {study.source}` makes them")
    figure = study_file(results, study, "png")
    write_bytes(figure, draw_study(data))
    for path in (*write_study(data, results), figure):
        typer.echo(f"wrote {path}", err=True)
    return render_md(data, choose(data, results))


def _check(path: Path, results: Path) -> str:
    from saflex_cli.config.study import load_study
    from saflex_cli.store.studies.check import check_study
    from saflex_cli.store.studies.table import build_study

    study = load_study(path)
    data = build_study(study, results)
    if not data.reports:
        return f"{study.name}: not written; 0 of {study.runs} reports are there"
    check_study(data, results)
    part = "" if data.is_complete else f"; {data.reports} of {study.runs} reports are there"
    return f"{study.name}: as its reports say{part}"
