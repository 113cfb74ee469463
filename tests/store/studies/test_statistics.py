"""Holm's correction against the definition in its paper, ranks and the paired test against scipy."""

import math
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata, ttest_rel

from saflex_cli.store.studies.statistics import ALPHA, holm, mean_interval, paired_p, ranks

PROBABILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def rejected_by_holm(values: list[float], alpha: float) -> set[int]:
    """Step down: the k-th smallest of m, counted from 0, is held against α / (m - k) until one fails."""
    remaining, rejected = list(range(len(values))), set()
    while remaining:
        smallest = min(remaining, key=lambda index: values[index])
        if values[smallest] > alpha / len(remaining):
            break
        rejected.add(smallest)
        remaining.remove(smallest)
    return rejected


@given(PROBABILITIES)
def test_adjusted_values_reject_what_the_steps_reject(values: list[float]) -> None:
    with patch("gc.collect"):  # which statsmodels calls each time: a third of a second beside torch
        adjusted = holm(values)
    sure = [index for index in range(len(values)) if abs(adjusted[index] - ALPHA) > 1e-9]
    steps = rejected_by_holm(values, ALPHA)
    assert {index for index in sure if adjusted[index] <= ALPHA} == steps & set(sure)
    assert all(value <= corrected <= 1 for value, corrected in zip(values, adjusted, strict=True))


def test_adjusted_values_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.04]) == [0.04]
    assert holm([]) == []


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]), min_size=1, max_size=8))
def test_ranks_are_scipys_of_the_negated_values(means: list[float]) -> None:
    assert ranks(means) == pytest.approx(list(rankdata([-mean for mean in means])))


def test_the_paired_test_takes_common_seeds() -> None:
    ours, theirs = {0: 0.9, 1: 0.8, 2: 0.85, 7: 0.1}, {0: 0.8, 1: 0.75, 2: 0.7, 9: 0.9}
    expected = ttest_rel([0.9, 0.8, 0.85], [0.8, 0.75, 0.7]).pvalue
    assert paired_p(ours, theirs) == pytest.approx(expected)
    assert paired_p({0: 1.0}, {0: 0.5}) is None
    assert paired_p({0: 1.0}, {1: 0.5}) is None


def test_equal_differences_count_by_their_signs_alone() -> None:
    base = {seed: 0.5 + seed / 10 for seed in range(5)}
    assert paired_p(base, dict(base)) == 1.0
    assert paired_p({seed: value + 0.1 for seed, value in base.items()}, base) == 2 / 32


def test_the_interval_of_a_mean() -> None:
    low, high = mean_interval([1.0, 2.0, 3.0]) or (0, 0)
    assert (low, high) == pytest.approx((2 - 4.302653 / math.sqrt(3), 2 + 4.302653 / math.sqrt(3)), abs=1e-5)
    assert mean_interval([1.0]) is None
