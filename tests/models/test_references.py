"""References against slow twins: the features of logistic regression, and trees on hand-made columns."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from torch import Tensor

from saflex_cli.errors import TrainingError
from saflex_cli.models import logistic_regression
from saflex_cli.models.gradient_boosting import MOST_LEVELS, fit_gradient_boosting, unknown_as_missing
from saflex_cli.models.logistic_regression import DesignColumns, fit_logistic_regression
from saflex_cli.models.references import log_probabilities

NAN = float("nan")


def dense(features: object) -> np.ndarray:
    return features.toarray() if hasattr(features, "toarray") else np.asarray(features)


def slow_features(rows: Tensor, levels: tuple[int, ...], fitted_on: Tensor) -> np.ndarray:
    continuous = rows.shape[1] - len(levels)
    made = []
    for row in rows.tolist():
        values = [0.0 if np.isnan(value) else value for value in row[:continuous]]
        indicated = [column for column in range(continuous) if fitted_on[:, column].isnan().any()]
        missing = [float(np.isnan(row[column])) for column in indicated]
        coded = zip(row[continuous:], levels, strict=True)
        made.append(values + missing + [float(code == level) for code, count in coded for level in range(1, count)])
    return np.array(made)


@given(st.data())
def test_features_equal_a_slow_twin(data: st.DataObject) -> None:
    continuous = data.draw(st.integers(0, 3))
    levels = tuple(data.draw(st.lists(st.integers(1, 5), min_size=int(continuous == 0), max_size=3)))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 1000)))

    def draw(count: int) -> Tensor:
        values = torch.randn(count, continuous, generator=generator)
        values[torch.rand(count, continuous, generator=generator) < 0.2] = NAN
        codes = [torch.randint(level, (count, 1), generator=generator).float() for level in levels]
        return torch.cat([values, *codes], dim=1)

    train, others = draw(data.draw(st.integers(1, 6))), draw(4)
    columns = DesignColumns.of(train, levels)
    assert dense(columns(others)).tolist() == slow_features(others, levels, train).tolist()


def test_the_logistic_loss_is_minimised() -> None:
    """Half the squared length of the coefficients and c times the sum of losses, by another minimiser."""
    generator = torch.Generator().manual_seed(1)
    rows, labels = torch.randn(60, 3, generator=generator), torch.randint(2, (60,), generator=generator)
    found = next(fit_logistic_regression(rows, labels, levels=(), c=0.3).staged(rows))
    inputs, signs = rows.double().numpy(), 2 * labels.numpy() - 1

    def objective(weights: np.ndarray) -> float:
        losses = np.logaddexp(0, -signs * (inputs @ weights[:3] + weights[3]))
        return 0.5 * weights[:3] @ weights[:3] + 0.3 * losses.sum()

    best = minimize(objective, np.zeros(4), tol=1e-10).x
    scores = torch.from_numpy(inputs @ best[:3] + best[3])
    torch.testing.assert_close(found.exp()[:, 1], scores.sigmoid(), atol=1e-3, rtol=0)


@pytest.mark.parametrize(("classes", "expected"), [(2, 3 + 1 + 1), (3, 3 * (3 + 1 + 1))])
def test_parameters_are_coefficients_and_intercepts(classes: int, expected: int) -> None:
    """Two numbers and an indicator, one feature for the levels 1 and no other, an intercept."""
    rows = torch.tensor([[1.0, NAN, 1.0], [2.0, 0.5, 0.0], [0.1, 0.2, 1.0], [0.0, 3.0, 1.0]])
    fitted = fit_logistic_regression(rows, torch.arange(4) % classes, levels=(2,), c=1.0)
    assert fitted.parameters == expected
    assert fitted.steps > 1


def test_no_convergence_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic_regression, "_ITERATIONS", 1)
    rows = torch.randn(50, 4)
    with pytest.raises(TrainingError, match=r"did not converge \(.*\); lower c"):
        fit_logistic_regression(rows, (rows[:, 0] > 0).long(), levels=(), c=1e4)


def boosted(rows: Tensor, labels: Tensor, *, levels: tuple[int, ...] = (), iterations: int = 20) -> list[Tensor]:
    fitted = fit_gradient_boosting(
        rows, labels, levels=levels, iterations=iterations, learning_rate=0.3, random_state=2**32 - 1
    )
    assert fitted.steps == iterations
    return list(fitted.staged(rows))


def test_missing_numbers_are_learned_and_a_column_without_any_value_is_harmless() -> None:
    rows = torch.randn(200, 2)
    rows[::3, 0] = NAN
    rows[:, 1] = NAN
    labels = rows[:, 0].isnan().long()
    assert torch.equal(boosted(rows, labels)[-1].argmax(1), labels)


def test_levels_have_no_order() -> None:
    """One split parts the odd codes from the even ones; in their order that would take many."""
    codes = torch.arange(1, 31).float().repeat(20)[:, None]
    labels = (codes[:, 0] % 2).long()
    fitted = fit_gradient_boosting(codes, labels, levels=(31,), iterations=1, learning_rate=0.3, random_state=0)
    [found] = fitted.staged(codes)
    assert torch.equal(found.exp()[:, 1] > labels.double().mean(), labels == 1)
    assert fitted.parameters == 2, "two leaves"


@pytest.mark.parametrize(("count", "leaves"), [(MOST_LEVELS + 1, 2), (MOST_LEVELS + 2, 31)])
def test_too_many_levels_are_numbers(count: int, leaves: int) -> None:
    codes = torch.arange(1, count).float().repeat(20)[:, None]
    labels = (codes[:, 0] % 2).long()
    fitted = fit_gradient_boosting(codes, labels, levels=(count,), iterations=1, learning_rate=0.3, random_state=0)
    assert fitted.parameters == leaves


def test_an_unknown_level_is_a_missing_value() -> None:
    rows = torch.tensor([[0.0, 0.0, 2.0], [NAN, 1.0, 0.0]])
    expected = torch.tensor([[0.0, NAN, 2.0], [NAN, 1.0, NAN]])
    torch.testing.assert_close(unknown_as_missing(rows, 1), expected, equal_nan=True)


@pytest.mark.parametrize("classes", [2, 3])
def test_every_stage_lowers_the_loss_of_the_fit(classes: int) -> None:
    rows = torch.randn(200, 3)
    labels = rows[:, :classes].argmax(1)
    losses = [-stage[range(200), labels].mean().item() for stage in boosted(rows, labels)]
    assert len(losses) == 20
    assert all(later < earlier for earlier, later in pairwise(losses))


def test_scores_of_two_classes_and_of_more() -> None:
    two = log_probabilities(np.array([0.0, 2.0])).exp()
    torch.testing.assert_close(two[:, 1], torch.tensor([0.5, 1 / (1 + np.exp(-2))]).double())
    three = log_probabilities(np.log(np.array([[1.0, 2.0, 5.0]]))).exp()
    torch.testing.assert_close(three, torch.tensor([[0.125, 0.25, 0.625]]).double())
