"""Gradient boosting on the rows that the networks see."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float64, Int
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import Tensor

from saflex_cli.models.references import FittedReference, Rows, log_probabilities
from saflex_cli.numpy_arrays import NDArray

MOST_LEVELS = 255
"""Levels that scikit-learn tells apart without an order; it has as many bins."""


def fit_gradient_boosting(
    rows: Rows,
    labels: Int[Tensor, " n"],
    *,
    levels: tuple[int, ...],
    iterations: int,
    learning_rate: float,
    random_state: int,
) -> FittedReference:
    """Fit one stage per iteration, without early stopping; its parameters are the leaves of all trees.

    A categorical column with more levels than bins is taken as a number, in the order of its codes.

    Args:
        rows: Continuous columns, NaN where missing, then codes.
        labels: Every class 0…K−1 occurs.
        levels: Of the categorical columns, the last of a row's, as in `Splits`.
        iterations: Each adds a tree; with more than two classes, one for every class.
        learning_rate: What a tree's values are multiplied by.
        random_state: For the sample of rows that bins are taken from, where there are more than 200,000.
    """
    continuous = rows.shape[1] - len(levels)
    unordered = [continuous + column for column, count in enumerate(levels) if count - 1 <= MOST_LEVELS]
    model = HistGradientBoostingClassifier(
        learning_rate=learning_rate,
        max_iter=iterations,
        categorical_features=unordered,
        early_stopping=False,
        random_state=random_state,
    )
    known = ~unknown_as_missing(rows, continuous).isnan().all(0)

    def features(some: Rows) -> Float64[NDArray[np.float64], "n columns"]:
        # scikit-learn refuses a column without any value; as a constant it is never split on.
        return torch.where(known, unknown_as_missing(some, continuous), 0.0).double().numpy()

    model.fit(features(rows), labels.numpy())

    def staged(others: Rows) -> Iterator[Tensor]:
        for scores in model.staged_decision_function(features(others)):
            yield log_probabilities(scores)

    trees = [tree for trees in model._predictors for tree in trees]  # noqa: SLF001 - no public way to the leaves
    leaves = sum(tree.get_n_leaf_nodes() for tree in trees)
    return FittedReference(staged=staged, parameters=leaves, steps=model.n_iter_)


def unknown_as_missing(rows: Rows, continuous: int) -> Rows:
    """The rows with NaN for a level that training did not hold (code 0), which trees take as a missing value."""
    codes = rows[:, continuous:]
    codes = torch.where(codes == 0, torch.nan, codes)
    return torch.cat([rows[:, :continuous], codes], dim=1)
