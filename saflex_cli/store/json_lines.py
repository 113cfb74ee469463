"""Packed files: one record per line, each of a run of its own."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from saflex_cli.errors import ResultsError
from saflex_cli.store.files import write_text

Run = tuple[str, str, int]
"""The name of the recipe, the label of the method, the seed."""

Kept = TypeVar("Kept", bound=BaseModel)


def read_lines(path: Path, kind: type[Kept], run_of: Callable[[Kept], Run], what: str) -> dict[Run, tuple[Kept, str]]:
    """Every record of a packed file with the place where it stands; none if there is no such file.

    Raises:
        ResultsError: names the file and the line, if it cannot be read, is no record or stands there twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(f"{path}: cannot be read; restore it from version control") from error
    found: dict[Run, tuple[Kept, str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"{path}:{number}"
        try:
            record = kind.model_validate_json(line)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise ResultsError(
                f"{where}: not a whole {what} ({reason}); restore the file from version control, or delete it"
            ) from error
        run = run_of(record)
        if run in found:
            raise ResultsError(f"{where}: the same run stands at {found[run][1]}; delete one of the lines")
        found[run] = record, where
    return found


def write_lines(
    path: Path, there: Mapping[Run, tuple[Kept, str]], new: Mapping[Run, Kept], order: Iterable[Run]
) -> None:
    """Write new records beside those that are there, in this order; others are left out.

    Raises:
        ResultsError: if the file cannot be written; it is then as it was.
    """
    kept = {run: record for run, (record, _) in there.items()} | dict(new)
    text = "".join(kept[run].model_dump_json() + "\n" for run in order if run in kept)
    if text and not (path.exists() and path.read_text(encoding="utf-8") == text):
        write_text(path, text)
