"""A folder of images: classes from sub-folders, one size, one number of channels, and every bad file named."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from saflex_cli.config.images import ImageFolderData
from saflex_cli.data.build import build_data
from saflex_cli.data.splits import Splits
from saflex_cli.errors import DataError


def load(folder: Path, *, size: int = 4, **fields: Any) -> Splits:
    config = ImageFolderData(name="image_folder", path=folder.name, size=size, **fields)
    return build_data(config, seed=0, root=folder.parent)


def save(path: Path, value: int = 0, *, mode: str = "L", side: int = 4) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (side, side), (value,) * len(mode) if len(mode) > 1 else value).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes, ten grey images each; the value of every image is its number."""
    for number in range(20):
        save(tmp_path / "mine" / ("cat" if number < 10 else "dog") / f"{number:02}.png", number)
    return tmp_path / "mine"


def values(splits: Splits) -> list[int]:
    return sorted(int(image[0, 0, 0]) for part in (splits.train, splits.val, splits.test) for image in part.inputs)


def test_classes_values_and_carved_splits(folder: Path) -> None:
    splits = load(folder)
    assert splits.class_names == ("cat", "dog")
    assert [len(part) for part in (splits.train, splits.val, splits.test)] == [14, 2, 4]
    assert values(splits) == list(range(20))
    for part in (splits.train, splits.val, splits.test):
        assert part.inputs.dtype == torch.uint8
        assert part.inputs.shape[1:] == (1, 4, 4)
        assert torch.equal(part.labels, (part.inputs[:, 0, 0, 0] >= 10).long())


def test_given_splits_are_kept_in_sorted_order(tmp_path: Path) -> None:
    for number, name in enumerate(("train/b/2", "train/b/1", "train/a/9", "val/a/1", "val/b/1", "test/b/1")):
        save(tmp_path / "mine" / f"{name}.png", number)
    splits = load(tmp_path / "mine")
    assert splits.train.inputs[:, 0, 0, 0].tolist() == [2, 1, 0]
    assert splits.train.labels.tolist() == [0, 1, 1]
    assert splits.val.inputs[:, 0, 0, 0].tolist() == [3, 4]
    assert splits.test.labels.tolist() == [1]


def test_other_and_hidden_files_are_passed_over(folder: Path) -> None:
    before = load(folder)
    (folder / "cat" / "notes.txt").write_text("mine")
    (folder / "cat" / "._00.png").write_bytes(b"not an image")
    (folder / ".cache").mkdir()
    assert load(folder).sha256 == before.sha256


def test_the_digest_follows_contents_and_places(folder: Path) -> None:
    first = load(folder).sha256
    assert load(folder, split_seed=1).sha256 == first
    (folder / "cat" / "00.png").rename(folder / "dog" / "00.png")
    second = load(folder).sha256
    save(folder / "dog" / "00.png", 99)
    assert len({first, second, load(folder).sha256}) == 3


def test_grey_images_as_rgb(folder: Path) -> None:
    grey, rgb = load(folder), load(folder, rgb=True)
    assert torch.equal(rgb.train.inputs, grey.train.inputs.repeat(1, 3, 1, 1))


def test_one_colour_image_makes_all_of_them_colour(folder: Path) -> None:
    save(folder / "dog" / "19.png", 19, mode="RGB")
    splits = load(folder)
    assert splits.train.inputs.shape[1] == 3
    assert values(splits) == list(range(20))


def test_images_are_resized_with_antialiasing(folder: Path) -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))
    Image.fromarray(stripes).save(folder / "cat" / "00.png")
    splits = load(folder, size=8)
    found = [image for part in (splits.train, splits.val, splits.test) for image in part.inputs if image.max() > 20]
    assert len(found) == 1
    assert found[0].shape == (1, 8, 8)
    assert found[0].float().std() < 10  # without antialiasing it would be stripes, or one extreme
    assert abs(found[0].float().mean() - 127.5) < 5


def test_an_unreadable_image_is_named(folder: Path) -> None:
    (folder / "cat" / "03.png").write_bytes(b"not an image")
    with pytest.raises(DataError, match=r"cat.03\.png: cannot be read as an image"):
        load(folder)


def test_a_truncated_image_is_named(folder: Path) -> None:
    path = folder / "cat" / "03.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DataError, match=r"cat.03\.png: cannot be read as an image"):
        load(folder)


def test_an_image_of_16_bits_is_refused(folder: Path) -> None:
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(folder / "cat" / "03.png")
    with pytest.raises(DataError, match=r"cat.03\.png: has more than 8 bits per channel"):
        load(folder)


def test_folders_that_cannot_be_used(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no such folder"):
        load(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: holds no sub-folders with images"):
        load(tmp_path / "empty")
    (folder / "bird").mkdir()
    with pytest.raises(DataError, match=r"bird: holds no images \(.*add some, or remove the folder"):
        load(folder)


def test_a_class_without_training_images_and_a_misnamed_split(tmp_path: Path) -> None:
    for name in ("train/a/1", "train/b/1", "val/a/1", "test/c/1"):
        save(tmp_path / "mine" / f"{name}.png")
    with pytest.raises(DataError, match=r"test.c: a class without training images; the classes are a, b"):
        load(tmp_path / "mine")
    save(tmp_path / "mine" / "valid" / "a" / "1.png")
    with pytest.raises(DataError, match=r"valid: beside train there may be val and test alone"):
        load(tmp_path / "mine")


def test_class_names_may_come_from_a_file(folder: Path) -> None:
    (folder.parent / "names.txt").write_text("tabby cat\ngood dog\n")
    splits = load(folder, class_names="names.txt")
    assert splits.class_names == ("tabby cat", "good dog")
    assert splits.sha256 == load(folder).sha256
    (folder.parent / "names.csv").write_text("class,name\ndog,good dog\ncat,tabby cat\n")
    assert load(folder, class_names="names.csv").class_names == ("tabby cat", "good dog")
    (folder.parent / "names.csv").write_text("class,name\ndog,good dog\n")
    with pytest.raises(DataError, match=r"names\.csv: has no name for the class 'cat'"):
        load(folder, class_names="names.csv")


def test_a_crop_cuts_the_middle_out(folder: Path) -> None:
    wide = np.tile(np.repeat(np.array([0, 200, 0], np.uint8), [10, 20, 10]), (20, 1))
    for path in folder.glob("*/*.png"):
        Image.fromarray(wide).save(path)
    cropped, stretched = load(folder, size=10, fit="crop"), load(folder, size=10)
    assert cropped.train.inputs.min() > 150
    assert stretched.train.inputs.min() == 0
