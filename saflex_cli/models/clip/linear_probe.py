"""The linear probe of LP-FT: logistic regression on frozen embeddings, its penalty chosen on validation data."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from saflex_cli.errors import SaflexValueError

CS = tuple(np.logspace(-1, 2, 10).tolist())
"""From 0.1 to 100 as in FLYP's file, which tries 100 values there."""
_ITERATIONS = 1000

Embeddings = Float[Tensor, "n embedding"]
Labels = Int[Tensor, " n"]
Metric = Callable[[Float[Tensor, "n classes"], Labels], float]


@dataclass(frozen=True)
class LinearProbe:
    """The best of the fits, as a linear layer."""

    weight: Float[Tensor, "classes embedding"]
    bias: Float[Tensor, " classes"]
    c: float
    """What the losses count beside half the squared length of the weights."""
    scores: dict[float, float]
    """The metric on validation data, by C."""
    unfinished: tuple[float, ...]
    """For which C lbfgs had not converged after its iterations; their last weights were scored all the same."""

    def logits(self, embeddings: Embeddings) -> Float[Tensor, "n classes"]:
        """Of embeddings as those of the fit."""
        return embeddings @ self.weight.T + self.bias


def fit_linear_probe(
    train: tuple[Embeddings, Labels],
    val: tuple[Embeddings, Labels],
    *,
    classes: int,
    metric: Metric,
    cs: Sequence[float] = CS,
    iterations: int = _ITERATIONS,
) -> LinearProbe:
    """Fit by lbfgs for every C, each from the weights of the one before, and keep the best; the smaller C of equals.

    FLYP's released file takes the C with the best *test* accuracy (`src/models/linear_lbfgs.py` at 215d5bb).

    Args:
        train: Embeddings of length 1, and classes; at least two of them occur.
        val: Likewise: what C is chosen by.
        classes: K. A class that `train` lacks gets a weight of 0 and a bias below every logit of the others.
        metric: Of logits and classes; the larger the better.
        cs: What is tried.
        iterations: Of lbfgs, at most, for each C.

    Raises:
        SaflexValueError: if fewer than two classes occur, or nothing is to be tried.
    """
    rows, labels = train[0].detach().cpu().double().numpy(), train[1].cpu().numpy()
    if len(np.unique(labels)) < 2 or not cs:
        raise SaflexValueError("a linear probe needs samples of at least two classes, and at least one C")
    model = LogisticRegression(max_iter=iterations, warm_start=True)
    probes, scores, unfinished = {}, {}, []
    for c in sorted(cs):
        model.set_params(C=c)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(rows, labels)
        if model.n_iter_.max() >= iterations:
            unfinished.append(c)
        probes[c] = _layer(model, classes)
        weight, bias = probes[c]
        scores[c] = metric(val[0].detach().cpu().double() @ weight.T + bias, val[1].cpu())
    best = max(scores, key=lambda c: scores[c])
    weight, bias = (part.to(train[0].dtype) for part in probes[best])
    return LinearProbe(weight, bias, best, scores, tuple(unfinished))


def _layer(model: LogisticRegression, classes: int) -> tuple[Tensor, Tensor]:
    """Weights and biases of all classes; of two classes scikit-learn keeps the difference, halved here for each."""
    weight, bias = torch.from_numpy(model.coef_.copy()), torch.from_numpy(model.intercept_.copy())
    if len(model.classes_) == 2:
        weight, bias = torch.cat([-weight, weight]) / 2, torch.cat([-bias, bias]) / 2
    seen = torch.from_numpy(model.classes_)
    lowest = (bias - weight.norm(dim=1)).min()  # on embeddings of length 1
    full, biases = weight.new_zeros(classes, weight.shape[1]), lowest.repeat(classes)
    full[seen], biases[seen] = weight, bias
    return full, biases
