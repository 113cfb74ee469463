"""The reports of a table: all of them, or an error that says which are wanting and how to make them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from saflex_cli.config.identity import find_method
from saflex_cli.config.schema import MethodConfig
from saflex_cli.errors import ResultsError
from saflex_cli.store.files import find_report, report_path, require_current
from saflex_cli.store.report import Report
from saflex_cli.store.scores import Reports
from saflex_cli.store.studies.pack import pack_path, read_pack
from saflex_cli.store.table import Source, Table

_SHOWN_PROBLEMS = 10


def collect_reports(table: Table, results: Path, *, allow_missing: bool) -> Mapping[tuple[str, str], Reports]:
    """The reports of every cell, by recipe name and method label.

    Raises:
        ResultsError: if reports are stale or unreadable, or missing and not `allow_missing`.
    """
    reports: dict[tuple[str, str], dict[int, Report]] = {}
    problems: dict[str, str] = {}
    place = "" if results == Path("results") else f" --out {results}"
    for column in table.columns:
        shelves = {name: _Shelf(results, source) for name, source in column.sources.items()}
        for row in table.rows:
            source, recipe = column.source(row), column.source(row).recipe
            found = reports.setdefault((recipe.name, row.method), {})
            method = find_method(recipe, row.method)
            for seed in recipe.seeds_of(method):
                try:
                    report = shelves[row.recipe].find(method, seed)
                except ResultsError as error:
                    problems[str(error)] = source.command(place, method=row.method, seed=seed)
                    continue
                if report is not None:
                    found[seed] = report
                elif not allow_missing:
                    missing = source.study_command(place) or f"saflex train {table.source}{place}"
                    problems[f"{shelves[row.recipe].path(method, seed)}: missing"] = missing
    problems |= _mixed_data(table, reports)
    if problems:
        raise ResultsError(_complaint(table, problems))
    return reports


class _Shelf:
    """Where the reports of a recipe are: a file each, or the packed file of a study's cell."""

    def __init__(self, results: Path, source: Source) -> None:
        self._results, self._recipe, self._packed = results, source.recipe, source.packed
        self._pack = read_pack(pack_path(results, *source.packed)) if source.packed else {}

    def find(self, method: MethodConfig, seed: int) -> Report | None:
        if self._packed is None:
            return find_report(self._results, self._recipe, method, seed)
        report, where = self._pack.get((self._recipe.name, method.label, seed), (None, ""))
        if report is not None:
            mend = "`saflex study … --force` replaces it"
            require_current(report, self._recipe, method, seed, where=where, mend=mend)
        return report

    def path(self, method: MethodConfig, seed: int) -> str:
        if self._packed is None:
            return str(report_path(self._results, self._recipe.name, method.label, seed))
        return f"{pack_path(self._results, *self._packed)}, {method.label}, seed {seed}"


def _mixed_data(table: Table, reports: Mapping[tuple[str, str], Reports]) -> dict[str, str]:
    """Columns whose runs were made on different data: they cannot be compared."""
    problems = {}
    for column in table.columns:
        names = {source.recipe.name for source in column.sources.values()}
        own = [found for (recipe, _), by_seed in reports.items() for found in by_seed.values() if recipe in names]
        if len({report.data.sha256 for report in own}) > 1:
            commands = (source.study_command("") or f"saflex train {source.path}" for source in column.sources.values())
            problems[f"{', '.join(sorted(names))}: reports were made on different data"] = " and ".join(
                f"{command} --force" for command in commands
            )
    return problems


def _complaint(table: Table, problems: Mapping[str, str]) -> str:
    """All in one message: `problems` maps what is wrong to the command that mends it."""
    commands = dict.fromkeys(problems.values())
    count = f"{len(problems)} report" + ("s" if len(problems) > 1 else "")
    return "\n".join(
        [
            f"table {table.name}: {count} missing or not usable:",
            *_first(problems),
            "make them with:",
            *_first(commands),
        ]
    )


def _first(lines: Iterable[str]) -> list[str]:
    shown = [f"  {line}" for line in lines]
    more = len(shown) - _SHOWN_PROBLEMS
    return [*shown[:_SHOWN_PROBLEMS], f"  … and {more} more"] if more > 0 else shown
