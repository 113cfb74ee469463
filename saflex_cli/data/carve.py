"""Splits that a source lacks, carved out of its training samples."""

import numpy as np
from sklearn.model_selection import train_test_split

from saflex_cli.config.images import Carved
from saflex_cli.data.arrays import Labelled
from saflex_cli.errors import DataError
from saflex_cli.numpy_arrays import NDArray
from saflex_cli.seeding import Streams


def carve(parts: dict[str, Labelled], carved: Carved, source: str) -> dict[str, Labelled]:
    """The same parts, with `test` and `val` taken from `train` where they are missing.

    The rule: first `test`, then `val`, each with round(share · N) samples, where N counts the training samples of the
    source before anything is taken; drawn class by class with scikit-learn's `train_test_split(stratify=labels)`. The
    draw depends on `split_seed` alone, so that every run and method sees the same splits.

    With 100 training samples and the default shares of 0.2 and 0.1: 20 test, 10 val, and 70 left to train on.

    Args:
        parts: `train`, and any of `val` and `test`.
        carved: Shares and seed.
        source: The file or folder, for messages.

    Raises:
        DataError: if the training samples cannot be split so: too few, or a class with a single sample.
    """
    number = Streams(carved.split_seed).number("split") % 2**32
    train, found = parts["train"], dict(parts)
    wanted = {"test": carved.test_share, "val": carved.val_share}
    sizes = {name: round(share * len(train)) for name, share in wanted.items() if name not in parts}
    rows = np.arange(len(train))
    for name, size in sizes.items():
        rows, taken = _taken(rows, train.labels, size, number, f"{source}: no {name} split; data.{name}_share")
        found[name] = train.rows(taken)
    return found | {"train": train.rows(rows)} if sizes else found


def _taken(
    rows: NDArray[np.int64], labels: NDArray[np.int64], size: int, number: int, what: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    try:
        rest, taken = train_test_split(rows, test_size=size, stratify=labels[rows], random_state=number)
    except ValueError as error:
        raise DataError(
            f"{what} cannot take {size} of {len(rows)} training samples class by class ({error}); change the share, "
            "add samples, or bring the split along"
        ) from error
    return np.sort(rest), np.sort(taken)
