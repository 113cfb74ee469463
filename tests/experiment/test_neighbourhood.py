"""Groups of samples by where they fell, against counting by hand."""

from dataclasses import replace

import numpy as np
import pytest

from saflex_cli.experiment.neighbourhood import groups_by_neighbours
from saflex_cli.figures.samples import Samples
from tests.figures.made_up import make_samples


def make_points(count: int, seed: int = 0) -> Samples:
    samples = make_samples(count, (2,), seed=seed)
    return replace(samples, augmented=2 * samples.augmented - 0.5)


@pytest.mark.parametrize("trusted", [4, 10, 60])
def test_agrees_with_counting(trusted: int) -> None:
    rng = np.random.default_rng(1)
    points, labels = rng.random((trusted, 2)), rng.integers(3, size=trusted)
    samples = make_points(40)
    count = min(10, trusted)
    rows = []
    for place, upstream, learned in zip(samples.augmented, samples.upstream, samples.learned, strict=True):
        distances = np.linalg.norm(points - place, axis=1)
        nearest = sorted(range(trusted), key=distances.__getitem__)[:count]
        votes = [sum(labels[i] == k for i in nearest) for k in range(3)]
        winner = int(np.argmax(votes))
        among_others = votes[winner] > count / 2 and winner != upstream.argmax()
        rows.append((distances[nearest[-1]], among_others, learned.argmax() == winner))
    farthest = set(sorted(range(40), key=lambda i: -rows[i][0])[:10])
    expected = [
        [i for i in range(40) if i in farthest],
        [i for i in range(40) if i not in farthest],
        [i for i in range(40) if rows[i][1]],
        [i for i in range(40) if not rows[i][1]],
    ]
    for group, members in zip(groups_by_neighbours(samples, points, labels), expected, strict=True):
        assert group.n == len(members)
        if members:
            assert group.mean_weight == pytest.approx(np.mean([samples.weights[i] for i in members]))
            assert group.changed == pytest.approx(np.mean([samples.changed[i] for i in members]))
            assert group.follows == pytest.approx(np.mean([rows[i][2] for i in members]))


def test_a_sample_of_a_class_of_its_own_place_is_not_among_others() -> None:
    """Ten trusted samples of class 0 at the origin, ten of class 1 far away; one sample of class 0 at each place."""
    points = np.concatenate([np.zeros((10, 2)), np.full((10, 2), 9.0)])
    labels = np.repeat([0, 1], 10)
    samples = make_points(2)
    samples = replace(samples, augmented=np.array([[0.0, 0.1], [9.0, 9.5]]), weights=np.array([1.0, 0.25]))
    samples.upstream[:] = [1.0, 0.0, 0.0]
    samples.learned[:] = [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]
    _, _, others, own = groups_by_neighbours(samples, points, labels)
    assert (others.n, others.mean_weight, others.changed, others.follows) == (1, 0.25, 1.0, 1.0)
    assert (own.n, own.mean_weight, own.changed, own.follows) == (1, 1.0, 0.0, 1.0)


def test_an_empty_group_has_no_means() -> None:
    samples = make_points(8)
    samples.upstream[:] = [1.0, 0.0, 0.0]
    groups = groups_by_neighbours(samples, np.random.default_rng(0).random((20, 2)), np.zeros(20, dtype=np.int64))
    assert (groups[2].n, groups[2].mean_weight, groups[2].changed, groups[2].follows) == (0, None, None, None)
