"""How measured costs are read and written."""

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from saflex_cli.errors import ResultsError
from saflex_cli.store.files import write_text
from saflex_cli.store.report import Environment, Record

Kind = TypeVar("Kind", bound=Record)


class Machine(Environment):
    """Where it was measured; no host name, user or path."""

    processor: str | None
    """The name of the CPU; None where the system does not tell."""


def write_record(path: Path, record: Record) -> Path:
    """Write one record.

    Raises:
        ResultsError: if it cannot be written.
    """
    write_text(path, record.model_dump_json(indent=1) + "\n")
    return path


def read_record(path: Path, kind: type[Kind]) -> Kind:
    """Read one record.

    Raises:
        ResultsError: if it is missing or of another format.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read ({error.strerror}); `saflex bench` writes it") from error
    except ValidationError as error:
        raise ResultsError(f"{path}: not a whole benchmark; `saflex bench` writes it anew") from error


def read_records(folder: Path, kind: type[Kind]) -> list[Kind]:
    """All records in a folder and below it, in the order of their paths."""
    return [read_record(path, kind) for path in sorted(folder.rglob("*.json"))]
