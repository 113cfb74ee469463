"""The statistics of a table: what is printed after ±, and the paired interval. All of them over seeds."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

EQUAL = 1e-12
"""Differences of fractions that vary less than this vary by rounding alone."""


@dataclass(frozen=True)
class Estimate:
    """Raw values, one per seed, and what is printed of them."""

    values: tuple[float, ...]

    @property
    def n(self) -> int:
        """Number of seeds."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """Mean over seeds, rounded once: the printed digits do not depend on the order of summation."""
        return statistics.fmean(self.values)

    @property
    def std(self) -> float | None:
        """Sample standard deviation (n - 1); None for one seed."""
        return statistics.stdev(self.values) if self.n > 1 else None


@dataclass(frozen=True)
class Difference:
    """A paired difference over the seeds that both sides have."""

    mean: float
    interval: tuple[float, float] | None
    """95 % confidence interval of the paired t test; None for one seed."""
    n: int

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes 0."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


def estimate(values: Mapping[int, float]) -> Estimate | None:
    """The estimate from values by seed; None if there are none."""
    return Estimate(tuple(values[seed] for seed in sorted(values))) if values else None


def paired_difference(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Difference | None:
    """Ours minus theirs, over the common seeds; None if there are none."""
    seeds = sorted(ours.keys() & theirs.keys())
    if not seeds:
        return None
    deltas = [ours[seed] - theirs[seed] for seed in seeds]
    mean = statistics.fmean(deltas)
    if len(seeds) == 1:
        return Difference(mean, None, 1)
    if max(deltas) - min(deltas) < EQUAL:
        return Difference(mean, (mean, mean), len(seeds))
    return Difference(mean, _interval([ours[seed] for seed in seeds], [theirs[seed] for seed in seeds]), len(seeds))


def _interval(ours: list[float], theirs: list[float]) -> tuple[float, float]:
    from scipy.stats import ttest_rel  # noqa: PLC0415 - slow to import, and only tables need it

    interval = ttest_rel(ours, theirs).confidence_interval(0.95)
    return float(interval.low), float(interval.high)
