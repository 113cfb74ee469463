"""The lines above a table that say what its numbers mean. A line stands there only if the table needs it."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain, product

from saflex_cli.config.identity import find_method
from saflex_cli.config.metrics import METRIC_NAMES
from saflex_cli.config.schema import MethodConfig, SaflexMethod
from saflex_cli.store.aggregate import Cell, TableData
from saflex_cli.store.entries import LAST_EPOCH_MARK
from saflex_cli.store.table import Table


def notes(data: TableData) -> Iterator[str]:
    """What ±, the epochs, the differences and the marks of this table mean."""
    table, cells = data.table, list(chain.from_iterable(data.cells))
    methods = [find_method(column.source(row).recipe, row.method) for column, row in product(table.columns, table.rows)]
    if table.caption:
        yield " ".join(table.caption.split())
    yield _metric_note(table, cells)
    yield _selection_note(table, methods)
    if any(_spends_validation_twice(method) for method in methods):
        yield "SAFLEX rows spend the validation set twice: on refinement and on selection."
    yield _difference_note(table)
    if _has_marks(data):
        yield f"{LAST_EPOCH_MARK} Last epoch, on both sides of a difference: there is no selected epoch."
    if len(table.columns) == 1 and any(cell.saflex for cell in cells):
        yield "Mean weight: before normalisation. Labels changed: samples whose largest label entry SAFLEX moved."
        yield "Steps dropped: per run, because every weight was zero."
    if any(cell.published for cell in cells):
        yield "paper: mean ± deviation as published."
    for column in table.columns:
        if column.not_comparable:
            yield f"{column.title}: not comparable with the paper. {' '.join(column.not_comparable.split())}"
    if not data.is_complete:
        why = " ".join((table.incomplete or "reports are missing.").split())
        yield f"Incomplete: {why} n is the number of seeds that are there."


def _metric_note(table: Table, cells: list[Cell]) -> str:
    counts = sorted({cell.expected for cell in cells})
    seeds = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
    spread = "; ± is the sample standard deviation over seeds" if counts[-1] > 1 else ""
    return f"Test {_metrics(table)} in percent, {seeds} seed{'s' if counts[-1] > 1 else ''}{spread}."


def _metrics(table: Table) -> str:
    """`AUROC (Volkert: accuracy)`: the metric of most columns, and the columns with another one."""
    (usual, _), *_ = Counter(column.metric for column in table.columns).most_common(1)
    others = [f"{column.title}: {METRIC_NAMES[column.metric]}" for column in table.columns if column.metric != usual]
    return METRIC_NAMES[usual] + (f" ({', '.join(others)})" if others else "")


def _selection_note(table: Table, methods: list[MethodConfig]) -> str:
    metrics = dict.fromkeys(
        METRIC_NAMES[source.recipe.selection.metric] for column in table.columns for source in column.sources.values()
    )
    note = f"Selected: epoch chosen by validation {' or '.join(metrics)}."
    if any(method.train_on == ("train", "val") for method in methods):
        note += " Rows trained on train+val have nothing to select on and report the last epoch."
    return note


def _difference_note(table: Table) -> str:
    note = f"Differences are paired by seed, in points: to {table.title_of(table.baseline)} at the selected epoch"
    if table.fair:
        note += f", to {table.title_of(table.fair)} at the last epoch of both"
    bold = "Bold only where the 95 % interval of the paired difference (t test) excludes 0"
    return f"{note}. {bold}; no correction for the number of comparisons."


def _spends_validation_twice(method: MethodConfig) -> bool:
    """SAFLEX with outer data from validation, and an epoch chosen by validation."""
    refines = isinstance(method, SaflexMethod) and method.resolved_settings().needs_outer and "val" in method.outer
    return refines and method.train_on == ("train",)


def _has_marks(data: TableData) -> bool:
    cells = list(chain.from_iterable(data.cells))
    among_means = len(data.cells) > 1 and any(cell.last and not cell.selected for cell in cells)
    return among_means or any(cell.to_baseline and cell.to_baseline.epoch == "last" for cell in cells)
