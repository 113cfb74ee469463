import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from saflex_cli.store.estimates import Estimate, estimate, paired_difference

FRACTIONS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=10)


def test_mean_and_sample_standard_deviation():
    """0.90, 0.92, 0.97: mean 2.79 / 3 = 0.93; squared deviations 9 + 1 + 16 = 26e-4, over n - 1 = 2: 13e-4."""
    values = estimate({2: 0.97, 0: 0.90, 1: 0.92})
    assert values == Estimate((0.90, 0.92, 0.97))
    assert values.n == 3
    assert values.mean == pytest.approx(0.93)
    assert values.std == pytest.approx(math.sqrt(13e-4))


def test_one_seed_has_no_deviation():
    assert estimate({7: 0.5}).std is None


def test_no_seed_has_no_estimate():
    assert estimate({}) is None


def test_paired_interval_by_hand():
    """Differences of 1, 2 and 3 points: mean 2, sample standard deviation 1, standard error 1 / √3 = 0.57735.

    The 97.5 % quantile of Student's t with 2 degrees of freedom is 4.30265 (any printed table), so the half width is
    2.48414 and the interval [-0.48414, 4.48414]: three seeds do not settle it, although all three agree in sign.
    """
    ours, theirs = {0: 0.91, 1: 0.95, 2: 0.93}, {0: 0.90, 1: 0.93, 2: 0.90}
    difference = paired_difference(ours, theirs)
    assert difference.n == 3
    assert difference.mean == pytest.approx(0.02)
    assert difference.interval == pytest.approx((-0.0048414, 0.0448414), abs=1e-7)
    assert not difference.is_clear


def test_an_interval_beside_zero_is_clear():
    """Differences of 1.9, 2.0 and 2.1 points: a tenth of the deviation above, so the half width is 0.248414."""
    theirs = {0: 0.90, 1: 0.93, 2: 0.90}
    better = paired_difference({0: 0.919, 1: 0.95, 2: 0.921}, theirs)
    assert better.interval == pytest.approx((0.0175159, 0.0224841), abs=1e-7)
    assert better.is_clear
    assert paired_difference(theirs, {0: 0.919, 1: 0.95, 2: 0.921}).is_clear


def test_only_common_seeds_are_paired():
    difference = paired_difference({0: 0.9, 1: 0.8, 5: 0.1}, {1: 0.7, 0: 0.8, 6: 0.9})
    assert difference.n == 2
    assert difference.mean == pytest.approx(0.1)


def test_no_common_seed_has_no_difference():
    assert paired_difference({0: 0.9}, {1: 0.9}) is None


def test_one_common_seed_has_no_interval():
    difference = paired_difference({0: 0.75}, {0: 0.5, 1: 0.9})
    assert (difference.mean, difference.interval, difference.n) == (0.25, None, 1)
    assert not difference.is_clear


def test_equal_differences_collapse_the_interval_without_warnings():
    """0.97 - 0.95, 0.95 - 0.93 and 0.3 - 0.28 differ in the last bit only, which scipy warns about."""
    difference = paired_difference({0: 0.97, 1: 0.95, 2: 0.3}, {0: 0.95, 1: 0.93, 2: 0.28})
    assert difference.interval == (difference.mean, difference.mean)
    assert difference.is_clear


def test_no_difference_at_all_is_not_clear():
    assert not paired_difference({0: 0.9, 1: 0.8}, {0: 0.9, 1: 0.8}).is_clear


@given(FRACTIONS)
def test_the_interval_is_the_textbook_formula(pairs: list[tuple[float, float]]):
    ours, theirs = (dict(enumerate(side)) for side in zip(*pairs, strict=True))
    deltas = [a - b for a, b in pairs]
    half = student.ppf(0.975, len(deltas) - 1) * statistics.stdev(deltas) / math.sqrt(len(deltas))
    difference = paired_difference(ours, theirs)
    assert difference.mean == statistics.fmean(deltas)
    assert difference.interval == pytest.approx((difference.mean - half, difference.mean + half), abs=1e-9)
