"""Packed reports: one file per cell of a study, one report per line, without curves. This is what is committed."""

import json
from collections.abc import Mapping
from pathlib import Path

from saflex_cli.config.identity import run_config
from saflex_cli.config.schema import MethodConfig, Recipe
from saflex_cli.config.study import Cell, Study
from saflex_cli.errors import ResultsError
from saflex_cli.store.files import require_current
from saflex_cli.store.json_lines import Run, read_lines, write_lines
from saflex_cli.store.report import Report


def study_folder(results: Path, study: Study) -> Path:
    """`results/studies/<study>/`, which holds the packed files."""
    return results / "studies" / study.name


def pack_path(results: Path, study: Study, cell: Cell) -> Path:
    """`results/studies/<study>/<curve>/<at>.jsonl`."""
    return study_folder(results, study) / f"{cell.name}.jsonl"


def runs_of(cell: Cell) -> list[Run]:
    """What a cell asks for: method by method in the recipe's order, then seed by seed."""
    recipe = cell.recipe
    return [(recipe.name, method.label, seed) for method in recipe.methods for seed in sorted(recipe.seeds_of(method))]


def sharing_key(recipe: Recipe, method: MethodConfig, seed: int) -> str:
    """Equal for runs that cannot differ: cells often change what a method has no part in, such as its augmentation.

    Unlike a report's configuration, it keeps the folders of absolute paths.
    """
    used = recipe.augmenter if method.uses_upstream and method.augmenter is None else None
    parts = [
        run_config(recipe, method),
        recipe.data.model_dump(mode="json"),
        [step.model_dump(mode="json") for step in (used or ())],
        method.model_dump(mode="json", exclude={"label", "seeds"}),
        seed,
    ]
    return json.dumps(parts, sort_keys=True)


def write_pack(path: Path, cell: Cell, reports: Mapping[Run, Report]) -> None:
    """Write the reports of a cell in the cell's order; what lies there of its other runs stays, be it stale.

    Raises:
        ResultsError: if the file cannot be read or written; it is then as it was.
    """
    write_lines(path, read_pack(path), reports, runs_of(cell))


def read_pack(path: Path) -> dict[Run, tuple[Report, str]]:
    """Every report of a packed file with the place where it stands; none if there is no such file.

    Raises:
        ResultsError: names the file and the line, if it cannot be read, is no report or stands there twice.
    """
    return read_lines(path, Report, lambda report: (report.recipe, report.method, report.seed), "report")


def current_reports(
    results: Path, study: Study, cell: Cell, *, mend: str
) -> tuple[dict[Run, Report], dict[Run, ResultsError]]:
    """The packed reports of the runs that a cell asks for, and why others that are there cannot be used.

    Raises:
        ResultsError: as `read_pack`.
    """
    path = pack_path(results, study, cell)
    found = read_pack(path)
    current, stale = {}, {}
    methods = {method.label: method for method in cell.recipe.methods}
    for run in runs_of(cell):
        if run in found:
            report, where = found[run]
            try:
                require_current(report, cell.recipe, methods[run[1]], run[2], where=where, mend=mend)
                current[run] = report
            except ResultsError as error:
                stale[run] = error
    return current, stale


def surplus(results: Path, study: Study) -> list[str]:
    """What lies among the packed reports and is not asked for: whole files, or lines."""
    asked = {pack_path(results, study, cell): set(runs_of(cell)) for cell in study.cells}
    found = []
    for path in sorted(study_folder(results, study).rglob("*.jsonl")):
        if path not in asked:
            found.append(str(path))
            continue
        found += [where for run, (_, where) in read_pack(path).items() if run not in asked[path]]
    return found
