"""The numbers of a study as CSV: one line per cell and method. Metrics, differences and rates are in percent."""

import csv
import io

from saflex_cli.config.study import Curve, Study
from saflex_cli.store.render_csv import percent
from saflex_cli.store.scores import SaflexMeans
from saflex_cli.store.studies.table import CellData, Result, StudyData, Versus

_Line = dict[str, str | int | None]


def render_csv(data: StudyData) -> str:
    """The whole study; empty where there is nothing to say."""
    lines = [
        _line(data.study, curve.curve, cell, label, result)
        for curve in data.curves
        for cell in curve.cells
        for label, result in cell.results.items()
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _line(study: Study, curve: Curve, cell: CellData, label: str, result: Result) -> _Line:
    line: _Line = {
        "curve": curve.title,
        "at": cell.cell.text,
        "recipe": cell.cell.recipe.name,
        "method": label,
        "title": study.title_of(label),
        "metric": curve.metric,
        "epoch": result.epoch if result.estimate else None,
        "n": len(result.seeds),
        "n_expected": result.expected,
        "seeds": " ".join(map(str, result.seeds)),
        "mean": percent(result.estimate.mean if result.estimate else None),
        "std": percent(result.estimate.std if result.estimate else None),
    }
    for opponent in study.opponents:
        line |= _versus(opponent, result.versus.get(opponent))
    return line | _saflex(result.saflex)


def _versus(opponent: str, versus: Versus | None) -> _Line:
    low, high = (versus.difference.interval if versus else None) or (None, None)
    return {
        f"{opponent}_n": versus.difference.n if versus else None,
        f"{opponent}_epoch": versus.epoch if versus else None,
        f"{opponent}_difference": percent(versus.difference.mean if versus else None),
        f"{opponent}_low": percent(low),
        f"{opponent}_high": percent(high),
        f"{opponent}_p": _probability(versus.p if versus else None),
        f"{opponent}_p_holm": _probability(versus.adjusted if versus else None),
    }


def _saflex(means: SaflexMeans | None) -> _Line:
    labels = means.labels if means else None
    return {
        "weight": _fraction(means.weight if means else None),
        "weight_wrong": _fraction(labels.weight_wrong if labels else None),
        "weight_right": _fraction(labels.weight_right if labels else None),
        "label_change_rate": percent(means.label_change_rate if means else None),
        "recovered": percent(labels.recovered if labels else None),
        "kept": percent(labels.kept if labels else None),
        "dropped_steps": f"{means.dropped_steps:.2f}" if means else None,
    }


def _fraction(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"


def _probability(p: float | None) -> str | None:
    return None if p is None else f"{p:.3g}"
