"""The committed files of a study: written, and checked against its packed reports byte for byte."""

from pathlib import Path

from saflex_cli.config.study import Study
from saflex_cli.errors import ResultsError
from saflex_cli.store.check import compare_file
from saflex_cli.store.files import write_text
from saflex_cli.store.studies.pack import surplus
from saflex_cli.store.studies.render import render_md, write_command
from saflex_cli.store.studies.render_csv import render_csv
from saflex_cli.store.studies.table import StudyData

_RENDER = {"md": render_md, "csv": render_csv}


def study_file(results: Path, study: Study, suffix: str) -> Path:
    """`results/studies/<study>.{md,csv,png}`."""
    return results / "studies" / f"{study.name}.{suffix}"


def write_study(data: StudyData, results: Path) -> list[Path]:
    """Write the tables of a study.

    Returns:
        The files.

    Raises:
        ResultsError: if one cannot be written.
    """
    files = {suffix: study_file(results, data.study, suffix) for suffix in _RENDER}
    for suffix, path in files.items():
        write_text(path, _RENDER[suffix](data))
    return list(files.values())


def check_study(data: StudyData, results: Path) -> None:
    """Compare the tables of a study with what its packed reports give now, and see that the figure exists.

    Raises:
        ResultsError: if a file is missing or differs, or if reports lie there that the study does not ask for.
    """
    mend = f"`{write_command(data)}` writes it anew"
    for suffix, render in _RENDER.items():
        compare_file(study_file(results, data.study, suffix), render(data), mend)
    figure = study_file(results, data.study, "png")
    if not figure.is_file():
        raise ResultsError(f"{figure}: is missing; {mend}")
    if unasked := surplus(results, data.study):
        raise ResultsError(f"{unasked[0]}: {data.study.source} does not ask for it; delete it ({len(unasked)} such)")
