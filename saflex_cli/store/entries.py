"""How single numbers are printed: percent with two decimals, differences with their sign."""

from dataclasses import dataclass

from saflex_cli.store.aggregate import Cell
from saflex_cli.store.estimates import Estimate
from saflex_cli.store.published import Published
from saflex_cli.store.scores import Comparison

LAST_EPOCH_MARK = "†"
"""On numbers of the last epoch that stand among numbers of the selected one."""


@dataclass(frozen=True)
class Entry:
    """The text of one place in a table."""

    text: str
    bold: bool = False


ABSENT = Entry("–")


def mean_entry(estimate: Estimate | None) -> Entry:
    """`95.11 ± 0.14`."""
    if estimate is None:
        return ABSENT
    return Entry(f"{100 * estimate.mean:.2f}" + (f" ± {100 * estimate.std:.2f}" if estimate.std is not None else ""))


def published_entry(published: Published | None) -> Entry:
    """`95.11 ± 0.14`."""
    return Entry(f"{published.mean:.2f} ± {published.std:.2f}") if published else ABSENT


def headline_entry(cell: Cell) -> Entry:
    """`95.11 ± 0.14`, and the number of seeds where it is not the recipe's."""
    if cell.headline is None:
        return ABSENT
    text = mean_entry(cell.headline).text + ("" if cell.selected else LAST_EPOCH_MARK)
    unusual = len(cell.seeds) < cell.expected or cell.expected != cell.usual
    return Entry(text + (f" (n = {count_entry(cell).text})" if unusual else ""))


def count_entry(cell: Cell) -> Entry:
    """`3`, or `2/3` where a report is missing."""
    found = len(cell.seeds)
    return Entry(str(found) if found == cell.expected else f"{found}/{cell.expected}")


def weight_entry(cell: Cell) -> Entry:
    """`0.93`."""
    return Entry(f"{cell.saflex.weight:.2f}") if cell.saflex else ABSENT


def changed_entry(cell: Cell) -> Entry:
    """`12.3 %`."""
    return Entry(f"{100 * cell.saflex.label_change_rate:.1f} %") if cell.saflex else ABSENT


def dropped_entry(cell: Cell) -> Entry:
    """`0.0`: steps per run."""
    return Entry(f"{cell.saflex.dropped_steps:.1f}") if cell.saflex else ABSENT


def difference_entry(comparison: Comparison | None, *, mark: bool = True) -> Entry:
    """`+0.53 [+0.12, +0.94]`, bold if the interval excludes 0; with `mark`, the last epoch is marked."""
    if comparison is None:
        return ABSENT
    difference = comparison.difference
    text = signed(difference.mean)
    if difference.interval is not None:
        text += " [{}, {}]".format(*map(signed, difference.interval))
    return Entry(text + (LAST_EPOCH_MARK if mark and comparison.epoch == "last" else ""), bold=difference.is_clear)


def signed(fraction: float) -> str:
    """`+0.53`: in percent."""
    # z: a difference that rounds to zero has no minus sign.
    return f"{100 * fraction:+z.2f}"
