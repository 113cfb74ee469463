"""Logistic regression on the rows that the networks see."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int
from scipy.sparse import csr_array, hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from saflex_cli.errors import TrainingError
from saflex_cli.models.dense_rows import split_columns
from saflex_cli.models.references import FittedReference, Rows, log_probabilities
from saflex_cli.numpy_arrays import NDArray

_ITERATIONS = 10_000
"""More than lbfgs needs; reaching it is an error."""

Design: TypeAlias = Float64[NDArray[np.float64], "n features"] | csr_array


@dataclass(frozen=True)
class DesignColumns:
    """From rows to features: values with 0 for NaN, indicators of NaN, and one feature per level.

    A level that training did not hold (code 0) is 0 in all features of its column.
    """

    levels: tuple[int, ...]
    has_missing: Bool[Tensor, " continuous"]
    """Columns with an indicator: those with a missing value in the rows of the fit."""

    @classmethod
    def of(cls, rows: Rows, levels: tuple[int, ...]) -> "DesignColumns":
        """For rows to fit on."""
        return cls(levels, rows[:, : rows.shape[1] - len(levels)].isnan().any(0))

    def __call__(self, rows: Rows) -> Design:
        """The features; sparse where there are levels."""
        values, missing, codes = split_columns(rows, len(self.has_missing))
        dense = torch.cat([values.double(), missing[:, self.has_missing].double()], dim=1).numpy()
        if not self.levels:
            return dense
        design: csr_array = hstack([csr_array(dense), one_hot(codes.numpy(), self.levels)], format="csr")
        return design


def one_hot(codes: Int[NDArray[np.int64], "n columns"], levels: tuple[int, ...]) -> csr_array:
    """(n, Σ(L − 1)): one feature for each of the codes 1…L−1 of every column."""
    starts = np.cumsum([0, *(count - 1 for count in levels)])
    known = codes > 0
    places = (codes - 1 + starts[:-1])[known]
    row_ends = np.cumsum([0, *known.sum(1)])
    return csr_array((np.ones(len(places)), places, row_ends), shape=(len(codes), int(starts[-1])))


def fit_logistic_regression(
    rows: Rows, labels: Int[Tensor, " n"], *, levels: tuple[int, ...], c: float
) -> FittedReference:
    """Fit in one stage, by lbfgs in float64; its parameters are coefficients and intercepts.

    Args:
        rows: Continuous columns, NaN where missing, then codes.
        labels: Every class 0…K−1 occurs.
        levels: Of the categorical columns, the last of a row's, as in `Splits`.
        c: What the losses count beside half the squared length of the coefficients.

    Raises:
        TrainingError: if the fit does not converge.
    """
    columns = DesignColumns.of(rows, levels)
    model = LogisticRegression(C=c, max_iter=_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            model.fit(columns(rows), labels.numpy())
        except ConvergenceWarning as error:
            reason = str(error).splitlines()[0]
            raise TrainingError(f"logistic regression did not converge ({reason}); lower c") from error

    def staged(others: Rows) -> Iterator[Tensor]:
        yield log_probabilities(model.decision_function(columns(others)))

    return FittedReference(
        staged=staged, parameters=model.coef_.size + model.intercept_.size, steps=int(model.n_iter_.max())
    )
