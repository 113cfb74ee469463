"""Missing splits come out of train: test first, class by class, each sample once, the same for every run."""

import numpy as np
import pytest

from saflex_cli.config.images import Carved
from saflex_cli.data.arrays import Labelled
from saflex_cli.data.carve import carve
from saflex_cli.errors import DataError


def numbered(*per_class: int) -> Labelled:
    """Every image is its own number."""
    labels = np.repeat(np.arange(len(per_class)), per_class)
    return Labelled(np.arange(len(labels), dtype=np.uint8)[:, None, None], labels)


def pixels(part: Labelled) -> list[int]:
    return part.images.reshape(-1).tolist()


def test_both_are_carved_and_every_sample_is_used_once() -> None:
    parts = carve({"train": numbered(60, 40)}, Carved(), "mine")
    assert {name: len(part) for name, part in parts.items()} == {"train": 70, "val": 10, "test": 20}
    assert sorted(pixel for part in parts.values() for pixel in pixels(part)) == list(range(100))
    for part in parts.values():
        assert (part.labels == (part.images.reshape(-1) >= 60)).all()
        assert part.labels.mean() == pytest.approx(0.4)


def test_only_what_is_missing_is_carved() -> None:
    given = numbered(3, 3)
    parts = carve({"train": numbered(60, 40), "test": given}, Carved(), "mine")
    assert parts["test"] is given
    assert (len(parts["train"]), len(parts["val"])) == (90, 10)
    whole = {"train": given, "val": given, "test": given}
    assert carve(whole, Carved(), "mine") == whole


def test_the_test_split_does_not_depend_on_the_val_share() -> None:
    first = carve({"train": numbered(60, 40)}, Carved(val_share=0.1), "mine")
    second = carve({"train": numbered(60, 40)}, Carved(val_share=0.3), "mine")
    assert pixels(first["test"]) == pixels(second["test"])


def test_the_seed_alone_moves_the_splits() -> None:
    def carved(seed: int) -> list[int]:
        return pixels(carve({"train": numbered(60, 40)}, Carved(split_seed=seed), "mine")["test"])

    assert carved(0) == carved(0)
    assert carved(0) != carved(1)


@pytest.mark.parametrize(
    ("train", "shares", "share"),
    [
        ((20, 1), {}, "test"),
        ((3, 3), {}, "test"),
        ((20, 20), {"val_share": 0.01}, "val"),
        ((20, 20), {"test_share": 0.5, "val_share": 0.5}, "val"),
    ],
)
def test_what_cannot_be_carved_is_refused(train: tuple[int, int], shares: dict[str, float], share: str) -> None:
    with pytest.raises(DataError, match=rf"mine: no {share} split; data\.{share}_share cannot take \d+ of \d+"):
        carve({"train": numbered(*train)}, Carved(**shares), "mine")
