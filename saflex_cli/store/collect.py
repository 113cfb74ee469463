"""The reports of a table: all of them, or an error that says which are wanting and how to make them."""

from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path

from saflex_cli.config.identity import find_method
from saflex_cli.errors import ResultsError
from saflex_cli.store.files import find_report, report_path
from saflex_cli.store.report import Report
from saflex_cli.store.scores import Reports
from saflex_cli.store.table import Table

_SHOWN_PROBLEMS = 10


def collect_reports(table: Table, results: Path, *, allow_missing: bool) -> Mapping[tuple[str, str], Reports]:
    """The reports of every cell, by recipe name and method label.

    Raises:
        ResultsError: if reports are stale or unreadable, or missing and not `allow_missing`.
    """
    reports: dict[tuple[str, str], dict[int, Report]] = {}
    problems: dict[str, str] = {}
    for column, row in product(table.columns, table.rows):
        source = column.source(row)
        recipe, method = source.recipe, find_method(source.recipe, row.method)
        found = reports.setdefault((recipe.name, row.method), {})
        place = "" if results == Path("results") else f" --out {results}"
        for seed in recipe.seeds_of(method):
            try:
                report = find_report(results, recipe, method, seed)
            except ResultsError as error:
                problems[str(error)] = f"saflex train {source.path}{place} --method {row.method} --seed {seed} --force"
                continue
            if report is not None:
                found[seed] = report
            elif not allow_missing:
                problems[f"{report_path(results, recipe.name, row.method, seed)}: missing"] = (
                    f"saflex train {table.source}{place}"
                )
    problems |= _mixed_data(table, reports)
    if problems:
        raise ResultsError(_complaint(table, problems))
    return reports


def _mixed_data(table: Table, reports: Mapping[tuple[str, str], Reports]) -> dict[str, str]:
    """Columns whose runs were made on different data: they cannot be compared."""
    problems = {}
    for column in table.columns:
        names = {source.recipe.name for source in column.sources.values()}
        own = [found for (recipe, _), by_seed in reports.items() for found in by_seed.values() if recipe in names]
        if len({report.data.sha256 for report in own}) > 1:
            paths = " ".join(source.path for source in column.sources.values())
            problems[f"{', '.join(sorted(names))}: reports were made on different data"] = (
                f"saflex train {paths} --force"
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
