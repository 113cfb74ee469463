"""The committed files of a study: written, and checked against its packed reports byte for byte."""

from pathlib import Path

from saflex_cli.config.study import Study
from saflex_cli.store.check import compare_written
from saflex_cli.store.files import write_text
from saflex_cli.store.studies.choice import choose
from saflex_cli.store.studies.pack import surplus
from saflex_cli.store.studies.render import render_md, write_command
from saflex_cli.store.studies.render_csv import render_csv
from saflex_cli.store.studies.table import StudyData


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
    files = _files(data, results)
    for path, text in files.items():
        write_text(path, text)
    return list(files)


def check_study(data: StudyData, results: Path) -> None:
    """Compare the tables of a study with what its packed reports give now, and see that the figure exists.

    Raises:
        ResultsError: if a file is missing or differs, or if reports lie there that the study does not ask for.
    """
    compare_written(
        _files(data, results),
        study_file(results, data.study, "png"),
        surplus(results, data.study),
        source=data.study.source,
        command=write_command(data),
    )


def _files(data: StudyData, results: Path) -> dict[Path, str]:
    rendered = {"md": render_md(data, choose(data, results)), "csv": render_csv(data)}
    return {study_file(results, data.study, suffix): text for suffix, text in rendered.items()}
