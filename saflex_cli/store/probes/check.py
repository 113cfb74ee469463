"""The committed files of a probe: written, and checked against its packed records byte for byte."""

from pathlib import Path

from saflex_cli.errors import ResultsError
from saflex_cli.store.check import compare_written
from saflex_cli.store.files import write_text
from saflex_cli.store.probes.pack import probe_file, surplus
from saflex_cli.store.probes.render import render_csv, render_md, write_command
from saflex_cli.store.probes.table import ProbeData


def write_tables(data: ProbeData, results: Path) -> list[Path]:
    """Write the tables of a probe.

    Returns:
        The files.

    Raises:
        ResultsError: if one cannot be written.
    """
    files = _files(data, results)
    for path, text in files.items():
        write_text(path, text)
    return list(files)


def check_probe(data: ProbeData, results: Path) -> None:
    """Compare the tables of a probe with what its packed records give now, and see that the figure exists.

    Raises:
        ResultsError: if a record is stale, a file is missing or differs, or a record lies there that is not asked for.
    """
    if data.stale:
        raise ResultsError("\n".join(data.stale.values()))
    compare_written(
        _files(data, results),
        probe_file(results, data.probe, "png"),
        surplus(results, data.probe),
        source=data.probe.source,
        command=write_command(data),
    )


def _files(data: ProbeData, results: Path) -> dict[Path, str]:
    rendered = {"md": render_md(data), "csv": render_csv(data)}
    return {probe_file(results, data.probe, suffix): text for suffix, text in rendered.items()}
