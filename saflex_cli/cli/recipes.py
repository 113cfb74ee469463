"""`saflex recipes`: what there is to run, and what has been run."""

from collections import Counter
from pathlib import Path

from saflex_cli.cli.catalogue import probes, recipes, studies, tables
from saflex_cli.cli.options import Out
from saflex_cli.errors import RecipeError, ResultsError

EXAMPLES = """\b
Examples:
  saflex recipes
  saflex recipes --out runs/mine"""


def run(out: Out = None) -> None:
    """List the recipes, their tables, the studies and the probes, and how many runs are done."""
    from saflex_cli.cli.console import grid, show
    from saflex_cli.cli.plan import landing, plan_runs
    from saflex_cli.config.load import load_recipe

    results, _ = landing(out, [])
    published, problems = _columns_by_recipe()
    listing = grid("recipe", "table", ">methods × seeds", ">done", ">missing", ">stale")
    for name, path in recipes().items():
        try:
            recipe = load_recipe(path)
        except RecipeError as error:
            problems.append(str(error))
            continue
        counts = Counter(planned.state for planned in plan_runs([recipe], results=results))
        seeds = sorted({len(recipe.seeds_of(method)) for method in recipe.methods})
        size = f"{len(recipe.methods)} × {' to '.join(map(str, dict.fromkeys((seeds[0], seeds[-1]))))}"
        states = (str(counts[state] or "") for state in ("done", "to do", "stale"))
        listing.add_row(name, "\n".join(published.get(recipe.name, [])), size, *states)
    if not recipes():
        raise RecipeError("no recipes here; run this where the folder recipes/ is")
    show(listing)
    _show_studies(out or Path("results"), problems)
    _show_probes(out or Path("results"), problems)
    if problems:
        raise RecipeError("\n".join(problems))


def _show_studies(results: Path, problems: list[str]) -> None:
    """The studies, and how many of their reports are packed."""
    from saflex_cli.cli.console import grid, show
    from saflex_cli.config.study import load_study
    from saflex_cli.store.studies.pack import current_reports

    listing = grid("study", ">cells", ">methods", ">runs", ">packed")
    for name, path in studies().items():
        try:
            study = load_study(path)
            packed = sum(len(current_reports(results, study, cell, mend="")[0]) for cell in study.cells)
        except (RecipeError, ResultsError) as error:
            problems.append(str(error))
            continue
        listing.add_row(name, *map(str, (len(study.cells), len(study.methods), study.runs, packed)))
    if listing.rows:
        show(listing)


def _show_probes(results: Path, problems: list[str]) -> None:
    """The probes, and how many of their runs are packed."""
    from saflex_cli.cli.console import grid, show
    from saflex_cli.config.probe import load_probe
    from saflex_cli.store.probes.pack import read_records

    listing = grid("probe", ">cases", ">runs", ">packed")
    for name, path in probes().items():
        try:
            probe = load_probe(path)
            packed = len(read_records(results, None, probe)[0])
        except (RecipeError, ResultsError) as error:
            problems.append(str(error))
            continue
        listing.add_row(name, *map(str, (len(probe.cases), len(probe.runs), packed)))
    if listing.rows:
        show(listing)


def _columns_by_recipe() -> tuple[dict[str, list[str]], list[str]]:
    """`table1: Path` for every column, by the name of its recipe; and the table files that cannot be used."""
    from saflex_cli.store.table import load_table

    columns: dict[str, list[str]] = {}
    problems = []
    for path in tables().values():
        try:
            table = load_table(path)
        except RecipeError as error:
            problems.append(str(error))
            continue
        for column in table.columns:
            for source in column.sources.values():
                columns.setdefault(source.recipe.name, []).append(f"{table.name}: {column.title}")
    return columns, problems
