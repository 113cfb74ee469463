"""Tiles: every number of samples, grey or colour, and the same bytes for the same samples."""

import matplotlib as mpl
import numpy as np
import pytest

from saflex_cli.figures.style import ACCEPTED, REJECTED, weight_colour
from saflex_cli.figures.tiles import draw_tiles, shortened
from tests.figures.made_up import make_samples, pixels


@pytest.mark.parametrize(
    ("count", "shape"),
    [(1, (1, 8, 8)), (8, (3, 28, 28)), (9, (1, 5, 9))],
)
def test_a_picture_of_any_number_of_images(count: int, shape: tuple[int, int, int]) -> None:
    picture = pixels(draw_tiles(make_samples(count, shape), "title", "below"))
    one_row = pixels(draw_tiles(make_samples(8), "title", "below"))
    assert picture.shape[1] == one_row.shape[1] or count == 1
    assert (picture.shape[0] > one_row.shape[0]) == (count > 8)


def test_equal_samples_give_equal_bytes_whatever_the_users_style(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = make_samples(5)
    before = draw_tiles(samples, "title", "below")
    monkeypatch.setitem(mpl.rcParams, "font.size", 20.0)
    monkeypatch.setitem(mpl.rcParams, "savefig.dpi", 30.0)
    monkeypatch.setitem(mpl.rcParams, "savefig.bbox", "tight")
    assert draw_tiles(samples, "title", "below") == before
    assert mpl.rcParams["font.size"] == 20.0
    assert b"matplotlib" not in before.lower()
    assert draw_tiles(make_samples(5, seed=1), "title", "below") != before


@pytest.mark.parametrize(("weight", "colour"), [(0.0, REJECTED), (1.0, ACCEPTED)])
def test_the_frame_has_the_colour_of_the_weight(weight: float, colour: str) -> None:
    samples = make_samples(1)
    samples.weights[:] = weight
    rgb = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    picture = pixels(draw_tiles(samples, "", ""))
    assert (picture == rgb).all(2).sum() > 500
    np.testing.assert_allclose(np.array(weight_colour(weight)) * 255, rgb)


def test_names_may_be_long_or_look_like_formulas() -> None:
    names = ("normal, benign and everything else", "$x_$", "a")
    assert pixels(draw_tiles(make_samples(3, names=names), "$", "_")).std() > 0
    assert shortened("malignant", 6) == "malig…"
    assert shortened("benign", 6) == "benign"


def test_two_classes_and_hard_labels() -> None:
    samples = make_samples(3, names=("no", "yes"))
    samples.upstream[:] = [1.0, 0.0]
    samples.learned[:] = [[1.0, 0.0], [0.0, 1.0], [0.4, 0.6]]
    assert pixels(draw_tiles(samples, "", "")).std() > 0
