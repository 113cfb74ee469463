"""Tests of a study: paired t tests over seeds, Holm's correction over a family of them, and ranks."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from saflex_cli.errors import ResultsError
from saflex_cli.store.estimates import EQUAL

ALPHA = 0.05
"""Level of Holm's correction."""


def paired_p(ours: Mapping[int, float], theirs: Mapping[int, float]) -> float | None:
    """Two-sided p of the paired t test over the common seeds; None with fewer than two.

    Where all differences are equal there is no variance to test with. Then p is that of the sign test, 2^(1 - n), or 1
    if they are all 0: equal differences are common where a test set is small, and no evidence beyond their signs.
    """
    seeds = sorted(ours.keys() & theirs.keys())
    if len(seeds) < 2:
        return None
    deltas = [ours[seed] - theirs[seed] for seed in seeds]
    if max(deltas) - min(deltas) < EQUAL:
        return 1.0 if abs(deltas[0]) < EQUAL else 2.0 ** (1 - len(seeds))
    from scipy.stats import ttest_rel  # noqa: PLC0415 - slow to import, and only tables need it

    return float(ttest_rel([ours[seed] for seed in seeds], [theirs[seed] for seed in seeds]).pvalue)


def holm(values: Sequence[float]) -> list[float]:
    """Adjusted p values of one family (Holm 1979): below α means significant at the family's level α.

    Raises:
        ResultsError: if statsmodels is not installed.
    """
    if not values:
        return []
    try:
        from statsmodels.stats.multitest import multipletests  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise ResultsError("studies need statsmodels; install it with: pip install 'saflex[study]'") from error
    return [float(value) for value in multipletests(values, alpha=ALPHA, method="holm")[1]]


def ranks(means: Sequence[float]) -> list[float]:
    """1 for the highest; equal ones share the mean of their ranks."""
    return [
        sum(other > mean + EQUAL for other in means) + (sum(abs(other - mean) <= EQUAL for other in means) + 1) / 2
        for mean in means
    ]


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """95 % confidence interval of a mean (t distribution); None with fewer than two values."""
    n = len(values)
    if n < 2:
        return None
    from scipy.stats import t  # noqa: PLC0415 - slow to import

    half = float(t.ppf(0.975, n - 1)) * stdev(values) / n**0.5
    return fmean(values) - half, fmean(values) + half
