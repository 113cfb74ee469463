"""What else follows from the printed numbers alone."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from math import ceil, floor

from saflex_cli.data.medmnist_facts import FACTS
from saflex_cli.store.claims.claim import Remark
from saflex_cli.store.claims.printed import (
    REFINED,
    Printed,
    Row,
    above,
    beyond,
    count,
    exact,
    listed,
    mean_points,
    rounded,
    signed,
    title,
)
from saflex_cli.store.claims.text_facts import TABLE_5

_MOST_RUNS = 20
_CHANCE = 50
"""AUROC of guessing, in percent."""


def _beyond(printed: Printed) -> tuple[str, ...]:
    lines = []
    for table, qualifier in (("1", "method"), ("2", "backbone"), ("3", "method"), ("4", "")):
        gains = printed.refinements(table)
        within = [gain for gain in gains if not gain.is_beyond]
        text = f"Table {table}: {count([g for g in beyond(gains) if g.points > 0], gains)} are that much higher"
        lines.append(text + (f"; the others: {listed(within, qualifier)}" if within else ""))
    return tuple(lines)


def _to_nothing(printed: Printed) -> tuple[str, ...]:
    lines = []
    for table in ("1", "2", "3"):
        nothing = Row(table, "no_aug")
        saflex = dict.fromkeys(k.method for k in printed.numbers if k.table == table and k.method.startswith(REFINED))
        gains = [gain for method in saflex for gain in printed.gains(Row(table, method), nothing)]
        plain = [gain for m in saflex for gain in printed.gains(Row(table, m.removeprefix(REFINED)), nothing)]
        lines.append(
            f"Table {table}: SAFLEX {signed(mean_points(gains))} on average, above in {count(above(gains), gains)}; "
            f"its upstream augmentations {signed(mean_points(plain))}, above in {count(above(plain), plain)}"
        )
    return tuple(lines)


def _below_majority(printed: Printed) -> tuple[str, ...]:
    """Table 2 read as accuracies, and as AUROC."""
    cells = [
        (key, exact("2", number))
        for key, number in printed.numbers.items()
        if key.table == "2" and TABLE_5[key.column].positives
    ]
    below: dict[str, list[Decimal]] = defaultdict(list)
    for key, value in cells:
        if value < _majority(key.column):
            below[key.column].append(value)
    chance = [f"{title(k.column)} {v} ({title(k.method)}, {title(k.backbone)})" for k, v in cells if v < _CHANCE]
    return (
        "Table 2 names no metric",
        f"read as accuracies: of the {len(cells)} values on binary sets, {sum(map(len, below.values()))} lie below the "
        "share of the larger class in Table 5, which always answering with that class reaches: "
        + ", ".join(
            f"{title(column)} {len(found)} (at most {max(found)}; share {rounded(_majority(column))})"
            for column, found in below.items()
        ),
        f"read as AUROC, where {_CHANCE} is chance: below it are {', '.join(chance) or 'none'}",
    )


def _majority(column: str) -> Decimal:
    facts = TABLE_5[column]
    return Decimal(100) * max(facts.positives, facts.negatives) / facts.size


def _runs_behind(printed: Printed) -> tuple[str, ...]:
    """Numbers of runs whose mean accuracy on OCT's test images can be printed like this."""
    images = FACTS["octmnist"].sizes[2]
    fitting = {
        _row_title(key.method): {
            n for n in range(1, _MOST_RUNS + 1) if is_reachable(exact(key.table, number), n * images)
        }
        for key, number in printed.numbers.items()
        if key.column == "octmnist"
    }
    common = set.intersection(*fitting.values())
    return (
        f"an accuracy on OCT's {images:,} official test images is a multiple of 0.1 points, and a mean of n runs "
        "one of 0.1/n",
        *(f"n = {n} cannot give {', '.join(_unfit(fitting, n)) or 'no row'}" for n in (3, 5)),
        f"the smallest n that gives all {len(fitting)} OCT values of Tables 1, 7 and 8 is {min(common)}: otherwise the "
        "rows have different n, other test images, or another rounding",
    )


def _unfit(fitting: Mapping[str, set[int]], n: int) -> list[str]:
    return [name for name, runs in fitting.items() if n not in runs]


def _row_title(method: str) -> str:
    return f"SAFLEX with {title(method.removeprefix(REFINED))}" if method.startswith(REFINED) else title(method)


def is_reachable(percent: Decimal, trials: int) -> bool:
    """Whether a share of `trials` can be printed as this percentage with two decimals, rounded either way."""
    hits = percent * trials / 100
    near = (Decimal(100) * whole / trials for whole in (floor(hits), ceil(hits)))
    return any(abs(percent - value) <= Decimal("0.005") for value in near)


def _spread(printed: Printed) -> tuple[str, ...]:
    """The smallest ± of the smallest tabular set, against the step of an accuracy."""
    size = TABLE_5["arrhythmia"].size
    key, least = min(
        ((k, n) for k, n in printed.numbers.items() if k.column == "arrhythmia"), key=lambda pair: pair[1].std
    )
    step = Decimal(100) / size
    # A printed 0.01 is at most 0.015. One run of n that differs by one sample gives the least deviation: step / √n.
    most = Decimal(str(least.std)) + Decimal("0.005")
    runs = ceil((step / most) ** 2)
    return (
        f"Arrhythmia has {size} samples: one of them is {step:.2f} points of accuracy or more, however it is split",
        f"its smallest ± is {least.std:.2f} ({title(key.method)}, {title(key.backbone)}): as the standard deviation of "
        f"accuracies over n runs that are not all equal, it needs n ≥ {runs}, unless a run is an average over "
        "several models; otherwise ± or the metric is something else",
    )


REMARKS = (
    Remark("SAFLEX against its upstream augmentation, more than twice the pooled ±", _beyond),
    Remark("SAFLEX against no augmentation", _to_nothing),
    Remark("What Table 2 measures is not said", _below_majority),
    Remark("How many runs Table 1 may rest on", _runs_behind),
    Remark("What ± may be in Table 2", _spread),
)
