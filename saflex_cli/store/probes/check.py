"""The committed files of a probe: written, and checked against its packed records byte for byte."""

from pathlib import Path

from saflex_cli.errors import ResultsError
from saflex_cli.store.check import compare_file
from saflex_cli.store.files import write_text
from saflex_cli.store.probes.pack import probe_file, surplus
from saflex_cli.store.probes.render import render_csv, render_md, write_command
from saflex_cli.store.probes.table import ProbeData

_RENDER = {"md": render_md, "csv": render_csv}


def write_tables(data: ProbeData, results: Path) -> list[Path]:
    """Write the tables of a probe.

    Returns:
        The files.

    Raises:
        ResultsError: if one cannot be written.
    """
    files = {suffix: probe_file(results, data.probe, suffix) for suffix in _RENDER}
    for suffix, path in files.items():
        write_text(path, _RENDER[suffix](data))
    return list(files.values())


def check_probe(data: ProbeData, results: Path) -> None:
    """Compare the tables of a probe with what its packed records give now, and see that the figure exists.

    Raises:
        ResultsError: if a record is stale, a file is missing or differs, or a record lies there that is not asked for.
    """
    if data.stale:
        raise ResultsError("\n".join(data.stale.values()))
    mend = f"`{write_command(data)}` writes it anew"
    for suffix, render in _RENDER.items():
        compare_file(probe_file(results, data.probe, suffix), render(data), mend)
    figure = probe_file(results, data.probe, "png")
    if not figure.is_file():
        raise ResultsError(f"{figure}: is missing; {mend}")
    if unasked := surplus(results, data.probe):
        raise ResultsError(f"{unasked[0]}: {data.probe.source} does not ask for it; delete it ({len(unasked)} such)")
