"""What SAFLEX did in the cells of a study: weights and labels."""

from collections.abc import Callable, Iterator

from saflex_cli.config.study import Study
from saflex_cli.store.entries import ABSENT, Entry
from saflex_cli.store.layout import Block, Strip, fitting
from saflex_cli.store.scores import SaflexMeans
from saflex_cli.store.studies.table import CellData, CurveData

_Value = Callable[[SaflexMeans], float | None]


def fact_blocks(study: Study, curve: CurveData) -> Iterator[Block]:
    """A block per cell, in percent, for the methods that refined anything."""
    for cell in curve.cells:
        facts = {label: result.saflex for label, result in cell.results.items() if result.saflex}
        if facts:
            yield from _blocks(study, cell, facts)


def _blocks(study: Study, cell: CellData, facts: dict[str, SaflexMeans]) -> Iterator[Block]:
    shown: list[tuple[str, _Value]] = [("weight", lambda means: means.weight)]
    if any(means.labels for means in facts.values()):
        shown += [("wrong", _of_labels("weight_wrong")), ("right", _of_labels("weight_right"))]
    shown.append(("kept", lambda means: 1 - means.label_change_rate))
    if any(means.labels for means in facts.values()):
        shown += [("wrong mended", _of_labels("recovered")), ("right kept", _of_labels("kept"))]
    titles = Strip("method", tuple(Entry(study.title_of(label)) for label in facts))
    strips = [Strip(name, tuple(_entry(value(means)) for means in facts.values())) for name, value in shown]
    return fitting(f"What SAFLEX did, in percent of samples, {cell.cell.text}", titles, strips)


def _of_labels(field: str) -> _Value:
    def value(means: SaflexMeans) -> float | None:
        found: float | None = getattr(means.labels, field) if means.labels else None
        return found

    return value


def _entry(fraction: float | None) -> Entry:
    return ABSENT if fraction is None else Entry(f"{100 * fraction:.1f}")
