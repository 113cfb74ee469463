"""The committed tables: written, and checked against their reports byte for byte."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import get_args

from saflex_cli.errors import ResultsError
from saflex_cli.store.aggregate import TableData
from saflex_cli.store.files import write_text
from saflex_cli.store.layout import regenerate_command
from saflex_cli.store.render import Format, render
from saflex_cli.store.table import Table


def table_files(results: Path, table: Table) -> dict[Format, Path]:
    """`results/tables/<name>.{md,csv,tex}`."""
    return {kind: results / "tables" / f"{table.name}.{kind}" for kind in get_args(Format)}


def write_tables(data: TableData, results: Path) -> list[Path]:
    """Write the table in every format.

    Returns:
        The files.

    Raises:
        ResultsError: if one cannot be written.
    """
    files = table_files(results, data.table)
    for kind, path in files.items():
        write_text(path, render(data, kind))
    return list(files.values())


def check_tables(data: TableData, results: Path) -> None:
    """Compare the files of a table with what its reports give now.

    Raises:
        ResultsError: if a file is missing or differs; names the first line that does.
    """
    mend = f"`{regenerate_command(data)}` writes it anew"
    for kind, path in table_files(results, data.table).items():
        compare_file(path, render(data, kind), mend)


def compare_written(
    files: Mapping[Path, str], figure: Path, surplus: Sequence[str], *, source: str, command: str
) -> None:
    """Compare written files with what they must hold; see that the figure is there and nothing that is not asked for.

    Raises:
        ResultsError: if a file is missing or differs, or if something lies there that the `source` does not ask for.
    """
    mend = f"`{command}` writes it anew"
    for path, recomputed in files.items():
        compare_file(path, recomputed, mend)
    if not figure.is_file():
        raise ResultsError(f"{figure}: is missing; {mend}")
    if surplus:
        raise ResultsError(f"{surplus[0]}: {source} does not ask for it; delete it ({len(surplus)} such)")


def compare_file(path: Path, recomputed: str, mend: str) -> None:
    """Compare a committed file with what it must hold, byte for byte.

    Raises:
        ResultsError: if the file is missing or differs; names the first line that does, and ends with `mend`.
    """
    try:
        committed = path.read_bytes().decode("utf-8", errors="replace")
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read ({error.strerror}); {mend}") from error
    if committed != recomputed:
        raise ResultsError(f"{path}{_first_difference(committed, recomputed)}\n{mend}")


def _first_difference(committed: str, recomputed: str) -> str:
    pairs = zip_longest(committed.split("\n"), recomputed.split("\n"))
    number, (old, new) = next((count, pair) for count, pair in enumerate(pairs, start=1) if pair[0] != pair[1])
    end = "(end of file)"
    return (
        f":{number}: differs from the reports\n"
        f"  file:    {end if old is None else old}\n"
        f"  reports: {end if new is None else new}"
    )
