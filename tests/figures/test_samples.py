"""Samples in the order of their weights, joined, and as CSV."""

import csv

import numpy as np

from saflex_cli.figures.samples import as_csv, joined
from tests.figures.made_up import make_samples


def test_lowest_weight_first_and_equal_ones_in_their_order() -> None:
    samples = make_samples(6)
    ordered = samples.by_weight()
    assert ordered.weights.tolist() == [0, 0, 0.5, 0.5, 1, 1]
    assert ordered.index.tolist() == samples.index[[2, 5, 1, 4, 0, 3]].tolist()
    np.testing.assert_array_equal(ordered.augmented, samples.augmented[[2, 5, 1, 4, 0, 3]])
    np.testing.assert_array_equal(ordered.learned, samples.learned[[2, 5, 1, 4, 0, 3]])


def test_joined_again_after_being_parted() -> None:
    samples = make_samples(6)
    again = joined([samples.rows(slice(4)), samples.rows(slice(4, 6))])
    assert as_csv(again) == as_csv(samples)
    assert len(again) == 6


def test_changed_compares_largest_entries() -> None:
    samples = make_samples(50)
    assert samples.changed.tolist() == [
        max(range(3), key=upstream.__getitem__) != max(range(3), key=learned.__getitem__)
        for upstream, learned in zip(samples.upstream.tolist(), samples.learned.tolist(), strict=True)
    ]
    assert 0 < samples.changed.sum() < 50


def test_csv_of_images_holds_labels_and_weights() -> None:
    samples = make_samples(4, names=("cat", "dog, small", "owl"))
    rows = list(csv.DictReader(as_csv(samples).splitlines()))
    assert list(rows[0]) == [
        *("index", "upstream", "changed", "weight"),
        *("upstream_cat", "upstream_dog, small", "upstream_owl", "learned_cat", "learned_dog, small", "learned_owl"),
    ]
    assert [int(row["index"]) for row in rows] == samples.index.tolist()
    assert [row["upstream"] for row in rows] == [samples.class_names[k] for k in samples.upstream.argmax(1)]
    assert [bool(int(row["changed"])) for row in rows] == samples.changed.tolist()
    np.testing.assert_allclose([float(row["learned_owl"]) for row in rows], samples.learned[:, 2], rtol=1e-5)


def test_csv_of_points_holds_where_they_were_and_are() -> None:
    samples = make_samples(4, shape=(2,))
    rows = list(csv.DictReader(as_csv(samples).splitlines()))
    names = ("clean_0", "clean_1", "augmented_0", "augmented_1")
    found = np.array([[float(row[name]) for name in names] for row in rows])
    np.testing.assert_allclose(found, np.hstack([samples.clean, samples.augmented]), rtol=1e-5)
