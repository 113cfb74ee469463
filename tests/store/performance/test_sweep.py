"""Exponents of growth."""

import pytest

from saflex_cli.store.performance.sweep import fitted_slope
from tests.store.performance.made_up import sweep


def test_the_worked_case() -> None:
    assert fitted_slope([(1, 1.0), (2, 4.0), (4, 16.0)]) == pytest.approx(2)


def test_the_upper_half_is_fitted() -> None:
    made = sweep()
    assert made.curve("batch", "head")[0] == (10, pytest.approx(13.2))
    assert made.slope("batch", "head") == pytest.approx(1, abs=1e-3)
    few = made.model_copy(update={"points": tuple(point for point in made.points if point.value in (10, 100))})
    assert few.slope("batch", "upstream") == pytest.approx(0.963, abs=1e-3), "of two places both are used"
