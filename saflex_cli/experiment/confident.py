"""Confident learning (Northcutt, Jiang, Chuang 2021, JAIR 70) by the package cleanlab: a peer in judging labels."""

import math
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int, Shaped
from sklearn.model_selection import StratifiedKFold
from torch import Tensor

from saflex_cli.augment.intensity import as_float
from saflex_cli.data.splits import Splits
from saflex_cli.errors import DataError, SaflexError
from saflex_cli.models.logistic_regression import fit_logistic_regression
from saflex_cli.numpy_arrays import NDArray
from saflex_cli.seeding import Streams

Samples = tuple[Float[Tensor, "m columns"], Int[Tensor, " m"]]


@dataclass(frozen=True)
class Confident:
    """What cleanlab says of each sample."""

    suspicion: Float64[Tensor, " n"]
    """1 − its label quality score: 1 − the probability of the given label, out of sample."""
    keeps: Bool[Tensor, " n"]
    """Whether its filter raises no issue."""

    @classmethod
    def of(
        cls,
        rows: Float[Tensor, "n columns"],
        labels: Int[Tensor, " n"],
        classes: int,
        *,
        levels: tuple[int, ...],
        folds: int,
        streams: Streams,
        beside: Samples | None = None,
    ) -> "Confident":
        """From the given labels, with cleanlab's defaults; `beside` are further samples for every fit.

        Raises:
            SaflexError: if cleanlab is not installed.
            DataError: if a class has fewer samples than there are folds.
        """
        try:
            from cleanlab.filter import find_label_issues  # noqa: PLC0415 - an optional extra
            from cleanlab.rank import get_label_quality_scores  # noqa: PLC0415
        except ImportError as error:
            raise SaflexError("this probe needs cleanlab; install it with: pip install 'saflex[study]'") from error
        predicted = out_of_sample(rows, labels, classes, levels=levels, folds=folds, streams=streams, beside=beside)
        given = labels.numpy()
        quality = get_label_quality_scores(given, predicted)
        issues = find_label_issues(given, predicted, n_jobs=1)
        return cls(torch.from_numpy(1 - quality), torch.from_numpy(~issues))


def cleanlab_version() -> str:
    """Of the installed package."""
    return version("cleanlab")


def raw_rows(inputs: Shaped[Tensor, "n ..."], splits: Splits) -> Float[Tensor, "n columns"]:
    """Rows of a table as they are; images as the networks see them, flattened."""
    if inputs.ndim == 2:
        return inputs
    return splits.scale.normalise(as_float(inputs)).reshape(len(inputs), math.prod(inputs.shape[1:]))


def out_of_sample(
    rows: Float[Tensor, "n columns"],
    labels: Int[Tensor, " n"],
    classes: int,
    *,
    levels: tuple[int, ...],
    folds: int,
    streams: Streams,
    beside: Samples | None = None,
) -> Float64[NDArray[np.float64], "n classes"]:
    """Each sample's class probabilities by a logistic regression fitted on the other folds, and on those `beside`.

    Raises:
        DataError: if a class has fewer samples than there are folds.
    """
    fewest = int(torch.bincount(labels, minlength=classes).min())
    if fewest < folds:
        raise DataError(f"a class has {fewest} samples in the pool, and probe.folds is {folds}; lower it")
    state = streams.number("probe", "folds") % 2**32
    more = beside or (rows[:0], labels[:0])
    found = np.zeros((len(labels), classes))
    for fitted, judged in StratifiedKFold(folds, shuffle=True, random_state=state).split(rows, labels):
        own = torch.cat([rows[fitted], more[0]]), torch.cat([labels[fitted], more[1]])
        model = fit_logistic_regression(*own, levels=levels, c=1.0)
        found[judged] = list(model.staged(rows[judged]))[-1].exp().numpy()
    return found
