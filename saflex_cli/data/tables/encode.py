"""What the model sees of a table: numbers scaled and levels coded by what the training rows hold."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64
from sklearn.preprocessing import QuantileTransformer

from saflex_cli.data.tables.table import Table
from saflex_cli.numpy_arrays import NDArray

Scaling = Literal["standardise", "quantile_normal"]
_QUANTILES = 1000
_UNKNOWN = 0


@dataclass(frozen=True)
class Encoded:
    """Rows as vectors: continuous columns first, then the codes of the categorical ones as whole numbers."""

    inputs: Float32[NDArray[np.float32], "n features"]
    levels: tuple[int, ...]
    """How many codes each categorical column has, with 0 for a level that no training row holds."""


def encode(table: Table, train: NDArray[np.int64], scaling: Scaling) -> Encoded:
    """Encode all rows by what the rows `train` hold; no other row changes how any row is encoded.

    Continuous: `standardise` subtracts the mean and divides by the deviation (n in the denominator); `quantile_normal`
    maps ranks to N(0, 1) with scikit-learn's QuantileTransformer (at most 1,000 quantiles; ±5.2 outside the range of
    train). A missing value stays NaN. A column with one value in all of train is 0 in every row, and one without a
    value in train NaN in every row: nothing could be learnt of its other values.

    Categorical: the levels of train in the order of their texts get 1, 2, …, a missing value (the text "") being a
    level like others; what train does not hold gets 0.
    """
    scaled = [_scaled(column.values, train, scaling) for column in table.continuous]
    coded, levels = [], []
    for texts in table.categorical:
        present = sorted(set(np.unique(texts.codes[train]).tolist()), key=texts.levels.__getitem__)
        codes = np.full(len(texts.levels), _UNKNOWN, dtype=np.float32)
        codes[present] = np.arange(1, len(present) + 1, dtype=np.float32)
        coded.append(codes[texts.codes])
        levels.append(len(present) + 1)
    return Encoded(np.stack([*scaled, *coded], axis=1), tuple(levels))


def _scaled(
    values: Float64[NDArray[np.float64], " n"], train: NDArray[np.int64], scaling: Scaling
) -> Float32[NDArray[np.float32], " n"]:
    known = values[train]
    known = known[~np.isnan(known)]
    if len(known) == 0:
        return np.full(len(values), np.nan, dtype=np.float32)
    if known.min() == known.max():
        return np.where(np.isnan(values), np.nan, 0.0).astype(np.float32)
    if scaling == "standardise":
        standard = (values - known.mean()) / known.std()
        return np.asarray(standard, dtype=np.float32)
    transformer = QuantileTransformer(
        n_quantiles=min(_QUANTILES, len(known)), output_distribution="normal", subsample=None
    )
    transformer.fit(known[:, None])
    return np.asarray(transformer.transform(values[:, None])[:, 0], dtype=np.float32)
