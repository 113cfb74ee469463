"""Points in the plane: weights of every kind, any number of classes, and the same bytes for the same points."""

import pytest

from saflex_cli.figures.points import draw_points
from tests.figures.made_up import make_plane, make_samples, pixels


@pytest.mark.parametrize("classes", [2, 3, 9])
def test_a_picture_of_its_size(classes: int) -> None:
    samples = make_samples(6, (2,), tuple(map(str, range(classes))))
    assert pixels(draw_points(samples, make_plane(classes), "title", "below")).shape == (814, 748, 3)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_all_of_one_weight(weight: float) -> None:
    samples = make_samples(5, (2,))
    mixed = draw_points(samples, make_plane(), "title", "below")
    samples.weights[:] = weight
    assert draw_points(samples, make_plane(), "title", "below") != mixed


def test_equal_points_give_equal_bytes_and_the_learned_label_is_seen() -> None:
    samples = make_samples(5, (2,))
    before = draw_points(samples, make_plane(), "title", "below")
    assert draw_points(make_samples(5, (2,)), make_plane(), "title", "below") == before
    samples.learned[:] = samples.learned[:, ::-1].copy()
    assert draw_points(samples, make_plane(), "title", "below") != before


def test_a_sample_that_did_not_move_and_a_model_of_one_mind() -> None:
    samples, plane = make_samples(3, (2,)), make_plane()
    samples.augmented[:] = samples.clean
    plane.probabilities[:] = [1.0, 0.0, 0.0]
    assert pixels(draw_points(samples, plane, "title", "below")).std() > 0
