"""Where augmented samples fell among the trusted ones, and what became of them: Figure 2(b) in numbers."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from saflex_cli.figures.samples import Samples
from saflex_cli.numpy_arrays import NDArray

NEIGHBOURS = 10


@dataclass(frozen=True)
class Group:
    """Samples that fell into one kind of place."""

    name: str
    n: int
    mean_weight: float | None
    """None for an empty group, as below."""
    changed: float | None
    """Share of the labels whose largest entry is another class than upstream."""
    follows: float | None
    """Share of the labels whose largest entry is the commonest class among the nearest trusted samples."""


def groups_by_neighbours(
    samples: Samples, trusted: NDArray[np.floating], labels: NDArray[np.int64]
) -> tuple[Group, ...]:
    """Four groups: the quarter with the fewest trusted samples near and the rest; among other classes and the rest.

    How few are near is judged by the distance to the 10th nearest trusted sample, whatever its class. A sample is
    among another class where more than half of its 10 nearest trusted samples are of one class, and not of its upstream
    class.

    Args:
        samples: Vectors (N, F).
        trusted: (M, F); with fewer than 10 of them, all are neighbours.
        labels: (M,).
    """
    count = min(NEIGHBOURS, len(labels))
    distances, nearest = cKDTree(trusted).query(samples.augmented, k=range(1, count + 1))
    votes = np.stack([(labels[nearest] == k).sum(1) for k in range(len(samples.class_names))], axis=1)
    commonest = votes.argmax(1)
    sparse = np.zeros(len(samples), dtype=bool)
    sparse[np.argsort(-distances[:, -1], kind="stable")[: round(len(samples) / 4)]] = True
    among_others = (votes.max(1) > count / 2) & (commonest != samples.upstream.argmax(1))
    follows = samples.learned.argmax(1) == commonest
    named = (
        ("few trusted samples near (a quarter)", sparse),
        ("more of them", ~sparse),
        ("among another class", among_others),
        ("not so", ~among_others),
    )
    return tuple(_group(name, samples, follows, chosen) for name, chosen in named)


def _group(name: str, samples: Samples, follows: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> Group:
    def mean(values: NDArray[np.generic]) -> float | None:
        return float(values[chosen].mean()) if chosen.any() else None

    return Group(name, int(chosen.sum()), mean(samples.weights), mean(samples.changed), mean(follows))
