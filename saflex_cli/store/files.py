"""Where results lie, and how they are written: whole or not at all."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from saflex_cli.config.identity import config_hash, differences
from saflex_cli.config.schema import MethodConfig, Recipe
from saflex_cli.errors import ResultsError
from saflex_cli.store.report import EpochRow, Report

_SHOWN_DIFFERENCES = 3


def report_path(results: Path, recipe: str, method: str, seed: int) -> Path:
    """`results/reports/<recipe>/<method>/seed-<n>.json`."""
    return results / "reports" / recipe / method / f"seed-{seed}.json"


def curve_path(results: Path, recipe: str, method: str, seed: int) -> Path:
    """The per-epoch curve, beside the report."""
    return report_path(results, recipe, method, seed).with_suffix(".csv")


def write_report(results: Path, report: Report, curve: Sequence[EpochRow]) -> Path:
    """Write the curve, then the report: a run is finished when its report exists.

    Returns:
        The path of the report.

    Raises:
        ResultsError: if a file cannot be written; nothing half-written stays behind.
    """
    write_text(curve_path(results, report.recipe, report.method, report.seed), _curve_text(curve))
    path = report_path(results, report.recipe, report.method, report.seed)
    write_text(path, report.model_dump_json(indent=1) + "\n")
    return path


def read_report(path: Path) -> Report:
    """Read one report.

    Raises:
        ResultsError: names the file, if it is missing, truncated or not a report of this format.
    """
    try:
        return Report.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ResultsError(f"{path}: there is no such report; `saflex train` writes it") from error
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        what = f"{place}: {first['msg']}" if place else first["msg"]
        raise ResultsError(
            f"{path}: not a whole report ({what}); restore it from version control, or `saflex train … --force` "
            "replaces it"
        ) from error


def find_report(results: Path, recipe: Recipe, method: MethodConfig, seed: int) -> Report | None:
    """The report of a run, or None if the run has not finished.

    Raises:
        ResultsError: if the report cannot be read, or was made with another configuration or seed.
    """
    path = report_path(results, recipe.name, method.label, seed)
    if not path.exists():
        return None
    report = read_report(path)
    require_current(report, recipe, method, seed, where=str(path), mend="`saflex train … --force` replaces it")
    return report


def require_current(report: Report, recipe: Recipe, method: MethodConfig, seed: int, *, where: str, mend: str) -> None:
    """Refuse a report of another configuration, recipe, method or seed.

    Raises:
        ResultsError: starts with `where` it lies, says what differs, and ends with what `mend`s it.
    """
    changed = differences(report.config, recipe, method)
    # These are no part of the configuration: a copied file would otherwise count as a run of its own.
    claimed = {"recipe": report.recipe, "method": report.method, "seed": report.seed}
    expected = {"recipe": recipe.name, "method": method.label, "seed": seed}
    changed += [f"{name}: {claimed[name]} → {expected[name]}" for name in expected if claimed[name] != expected[name]]
    if report.config_hash != config_hash(report.config):
        changed.append("config_hash: not that of the configuration in the report")
    if not changed:
        return
    more = len(changed) - _SHOWN_DIFFERENCES
    shown = "; ".join(changed[:_SHOWN_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")
    raise ResultsError(f"{where}: belongs to another recipe ({shown}); {mend}")


def write_text(path: Path, text: str) -> None:
    """Write a file in UTF-8, as `write_bytes` does."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file through a temporary one in the same folder, so that a reader sees the old file or the new one.

    Raises:
        ResultsError: if it cannot be written; the old file, if any, is as it was.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        raise ResultsError(f"{path}: is not a regular file; name another one")
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_synced(temporary, content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ResultsError(f"{path}: cannot be written ({error.strerror}); check space and permissions") from error


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        # Otherwise a power cut after the renaming could leave an empty file under the final name.
        os.fsync(file.fileno())


def _curve_text(curve: Sequence[EpochRow]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(EpochRow.model_fields)
    writer.writerows([_curve_value(value) for value in row.model_dump().values()] for row in curve)
    return text.getvalue()


def _curve_value(value: Any) -> str:  # noqa: ANN401 - the fields of EpochRow
    if value is None:
        return ""
    # Six digits are more than a picture shows; the report keeps every value in full.
    return f"{value:.6g}" if isinstance(value, float) else str(value)
