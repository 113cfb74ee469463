"""Simple classifiers for rows of a table, to compare the networks with. Every default is scikit-learn's."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from saflex_cli.config.base import Positive
from saflex_cli.config.method_base import WithoutUpstream


class Reference(WithoutUpstream):
    """A method that scikit-learn fits on the recipe's rows; the recipe's model and training say nothing about it."""

    uses_network: ClassVar[bool] = False


class LogisticRegression(Reference):
    """Logistic regression with an L2 penalty."""

    name: Literal["logistic_regression"]
    c: Annotated[float, Field(gt=0)] = 1.0
    """What the sum of the rows' losses counts beside half the squared length of the coefficients."""


class GradientBoosting(Reference):
    """Boosted trees on binned values."""

    name: Literal["gradient_boosting"]
    iterations: Positive = 100
    """Each adds one tree; with more than two classes, one for every class. A tree has at most 31 leaves."""
    learning_rate: Annotated[float, Field(gt=0)] = 0.1
