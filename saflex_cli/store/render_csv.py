"""CSV in long form: one line per column and row. Accuracies, AUROC, differences and rates are in percent."""

import csv
import io

from saflex_cli.store.aggregate import Cell, TableData
from saflex_cli.store.estimates import Estimate
from saflex_cli.store.published import Published
from saflex_cli.store.scores import Comparison, SaflexMeans
from saflex_cli.store.table import Column, Table
from saflex_cli.store.table_config import Row

_Line = dict[str, str | int | None]


def render_csv(data: TableData) -> str:
    """The whole table as CSV; empty where there is nothing to say."""
    lines = [
        _line(data.table, column, row, cell)
        for column, cells in zip(data.table.columns, data.cells, strict=True)
        for row, cell in zip(data.table.rows, cells, strict=True)
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _line(table: Table, column: Column, row: Row, cell: Cell) -> _Line:
    line: _Line = {
        "recipe": column.source(row).recipe.name,
        "method": row.method,
        "column": column.title,
        "row": row.title,
        "metric": column.metric,
        "n": len(cell.seeds),
        "n_expected": cell.expected,
        "seeds": " ".join(str(seed) for seed in cell.seeds),
    }
    line |= _estimate("selected", cell.selected) | _estimate("last", cell.last)
    line |= {"baseline": table.baseline} | _comparison("baseline", cell.to_baseline)
    line |= {"fair": table.fair} | _comparison("fair", cell.to_fair)
    return line | _saflex(cell.saflex) | _published(cell.published)


def _estimate(name: str, estimate: Estimate | None) -> _Line:
    return {
        f"{name}_mean": percent(estimate.mean if estimate else None),
        f"{name}_std": percent(estimate.std if estimate else None),
    }


def _comparison(name: str, comparison: Comparison | None) -> _Line:
    difference = comparison.difference if comparison else None
    low, high = (difference.interval if difference else None) or (None, None)
    return {
        f"{name}_epoch": comparison.epoch if comparison else None,
        f"{name}_n": difference.n if difference else None,
        f"{name}_difference": percent(difference.mean if difference else None),
        f"{name}_low": percent(low),
        f"{name}_high": percent(high),
    }


def _saflex(means: SaflexMeans | None) -> _Line:
    return {
        "weight": f"{means.weight:.4f}" if means else None,
        "label_change_rate": percent(means.label_change_rate if means else None),
        "dropped_steps": f"{means.dropped_steps:.2f}" if means else None,
    }


def _published(published: Published | None) -> _Line:
    return {
        "published_mean": f"{published.mean:.2f}" if published else None,
        "published_std": f"{published.std:.2f}" if published else None,
    }


def percent(fraction: float | None) -> str | None:
    """In percent; None stays None."""
    # Four decimals: more than a table prints, and the same digits on every machine.
    return None if fraction is None else f"{100 * fraction:z.4f}"
