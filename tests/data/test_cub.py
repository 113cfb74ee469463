"""CUB-200-2011: the official lists decide; partial copies are counted; every bad file is named."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from saflex_cli.config.images import CubData
from saflex_cli.data.build import build_data
from saflex_cli.data.cub import CubImage, cub_parts, read_lists, readable
from saflex_cli.data.splits import Splits
from saflex_cli.errors import DataError

from .photographs import cub_lists, noise, save, truncate

CLASSES = ("001.Black_footed_Albatross", "002.Sooty_Albatross", "003.Cardinal")
PER_CLASS = 14


def load(root: Path, **fields: Any) -> Splits:
    return build_data(CubData(name="cub", **{"size": 4} | fields), seed=0, root=root)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three classes, ten training and four test images each; the value of every image is its number."""
    images = [(f"{name}/{place:02}.png", label, int(place < 10)) for place in range(PER_CLASS) for label, name in NAMED]
    folder = cub_lists(tmp_path / "CUB_200_2011", images, CLASSES)
    for number, (file, _, _) in enumerate(images):
        save(folder / "images" / file, number)
    return tmp_path


NAMED = list(enumerate(CLASSES, start=1))


def values(splits: Splits, name: str) -> list[int]:
    return sorted(getattr(splits, name).inputs[:, 0, 0, 0].tolist())


def test_sizes_names_and_labels(root: Path) -> None:
    splits = load(root)
    assert splits.class_names == ("Black footed Albatross", "Sooty Albatross", "Cardinal")
    assert [len(part) for part in (splits.train, splits.val, splits.test)] == [27, 3, 12]
    assert splits.train.inputs.shape == (27, 3, 4, 4)
    assert splits.notes == ()
    assert values(splits, "test") == list(range(30, 42))
    for part in (splits.train, splits.val, splits.test):
        assert torch.equal(part.labels, part.inputs[:, 0, 0, 0].long() % 3)


def test_chosen_classes_are_numbered_in_the_recipes_order(root: Path) -> None:
    splits = load(root, classes=("Cardinal", "001.Black_footed_Albatross"))
    assert splits.class_names == ("Cardinal", "Black footed Albatross")
    assert len(splits.test) == 8
    assert torch.equal(splits.test.labels, (splits.test.inputs[:, 0, 0, 0] % 3 == 0).long())


def test_the_last_training_images_of_every_class_are_held_back(root: Path) -> None:
    splits = load(root, held_back=4, val_share=0.2)
    assert sorted(values(splits, "train") + values(splits, "val")) == list(range(18))
    assert values(splits, "test") == list(range(30, 42))


def test_the_parts_equal_a_slow_twin() -> None:
    generator = torch.Generator().manual_seed(0)
    draws = torch.randint(0, 2, (60,), generator=generator).bool().tolist()
    images = tuple(CubImage(f"{n}", n * 7 % 5, in_train) for n, in_train in enumerate(draws))
    for held_back in (0, 1, 3, 50):
        parts = cub_parts(images, held_back)
        train, extra = set(), set()
        for label in range(5):
            own = [image for image in images if image.label == label and image.in_train]
            kept = max(0, len(own) - held_back)
            train |= set(own[:kept])
            extra |= set(own[kept:])
        assert (set(parts.train), set(parts.extra)) == (train, extra)
        assert set(parts.test) == {image for image in images if not image.in_train}


def test_a_partial_copy_is_refused_or_counted(root: Path) -> None:
    images = root / "CUB_200_2011" / "images"
    for place in range(7, 12):
        (images / CLASSES[2] / f"{place:02}.png").unlink()
    with pytest.raises(DataError, match=r"images: 5 of 42 images are not there \(003.Cardinal/07.png, .*allow_missing"):
        load(root)
    assert load(root, classes=CLASSES[:2]).notes == ()
    splits = load(root, allow_missing=True)
    assert splits.notes == ("cub: 5 of 42 images are not there and are left out; used: train 27 of 30, test 10 of 12",)
    assert len(splits.train) + len(splits.val) == 27
    for place in (12, 13):
        (images / CLASSES[2] / f"{place:02}.png").unlink()
    with pytest.raises(DataError, match=r"images: no test images of 003.Cardinal; unpack them, or name the classes"):
        load(root, allow_missing=True)


def test_the_digest_follows_contents(root: Path) -> None:
    first = load(root).sha256
    assert load(root, split_seed=1).sha256 == first
    save(root / "CUB_200_2011" / "images" / CLASSES[0] / "00.png", 99)
    assert load(root).sha256 != first


def test_grey_images_become_colour(root: Path) -> None:
    save(root / "CUB_200_2011" / "images" / CLASSES[0] / "00.png", 0, mode="L")
    assert sorted(values(load(root), "train") + values(load(root), "val")) == list(range(30))


def test_bad_images_classes_and_lists_are_named(root: Path) -> None:
    folder = root / "CUB_200_2011"
    truncate(noise(folder / "images" / CLASSES[1] / "03.png"))
    with pytest.raises(DataError, match=r"Albatross.03\.png: cannot be read as an image"):
        load(root)
    with pytest.raises(DataError, match=r"data\.classes: 'Robin' is not among the 3 of"):
        load(root, classes=("Robin",))
    with pytest.raises(DataError, match=r"data\.classes: names a class twice"):
        load(root, classes=("Cardinal", "003.Cardinal"))
    (folder / "train_test_split.txt").write_text("1 1\n2 0\n")
    with pytest.raises(DataError, match=r"train_test_split\.txt: lists other images than images\.txt"):
        load(root)
    (folder / "images.txt").write_text("1\n")
    with pytest.raises(DataError, match=r"images\.txt: entry 1 is '1', and not a number and a value"):
        load(root)
    (folder / "classes.txt").unlink()
    with pytest.raises(DataError, match=r"classes\.txt: cannot be read .*unpack CUB_200_2011\.tgz"):
        load(root)


def test_names_are_made_readable() -> None:
    assert readable("001.Black_footed_Albatross") == "Black footed Albatross"


def test_the_official_lists_give_the_published_subset(real_data: Callable[..., Path]) -> None:
    root = real_data("CUB_200_2011/images.txt", "alia/Cub2011.csv")
    names, images = read_lists(root / "CUB_200_2011")
    assert (len(names), len(images)) == (200, 11_788)
    parts = cub_parts(images, held_back=5)
    assert (len(parts.train), len(parts.extra), len(parts.test)) == (4_994, 1_000, 5_794)
    with (root / "alia" / "Cub2011.csv").open(newline="") as file:
        captioned = [row["path"].split("/images/")[1] for row in csv.DictReader(file)]
    assert [image.file for image in parts.train] == captioned


def test_a_copy_of_ten_classes(real_data: Callable[..., Path]) -> None:
    root = real_data("CUB_200_2011/images.txt", "CUB_200_2011/images/017.Cardinal")
    names, _ = read_lists(root / "CUB_200_2011")
    there = tuple(name for name in names if (root / "CUB_200_2011" / "images" / name).is_dir())
    splits = load(root, classes=there, size=8, allow_missing=True, val_share=0.2)
    sizes = {name: getattr(splits, name).labels.bincount().tolist() for name in ("train", "val", "test")}
    if len(there) == 10:
        assert sizes == {"train": [12] * 10, "val": [3] * 10, "test": [10] * 10}
        assert splits.notes[0].endswith("used: train 150 of 300, test 100 of 291")
