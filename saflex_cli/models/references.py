"""What the references from scikit-learn have in common: scores for rows, stage by stage."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from saflex_cli.numpy_arrays import NDArray

Rows = Float[Tensor, "n columns"]
Staged = Callable[[Rows], Iterator[Float64[Tensor, "n classes"]]]


@dataclass(frozen=True)
class FittedReference:
    """A fitted classifier."""

    staged: Staged
    """Log-probabilities of rows after each stage; every call goes through all stages anew."""
    parameters: int
    """Numbers that were fitted and enter a prediction; the docstring of the fit says which."""
    steps: int
    """Iterations of the fit."""


def log_probabilities(scores: Float64[NDArray[np.float64], "..."]) -> Float64[Tensor, "n classes"]:
    """From scikit-learn's decision function: (n,) scores of class 1 against class 0, or (n, K) of all classes.

    For both references the probabilities are the softmax of the scores, class 0 of two having the score 0.
    """
    found = torch.from_numpy(np.ascontiguousarray(scores))
    if found.ndim == 1:
        found = torch.stack([torch.zeros_like(found), found], dim=1)
    return found.log_softmax(1)
