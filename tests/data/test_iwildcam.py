"""iWildCam: the metadata decide, images stay on disk, and every fault is one message that names it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from saflex_cli.config.images import IWildCamData
from saflex_cli.data.build import build_data
from saflex_cli.data.image_files import ImageFiles
from saflex_cli.data.iwildcam import IWILDCAM_SPLITS, read_metadata
from saflex_cli.data.splits import Splits
from saflex_cli.errors import DataError

from .photographs import HEADER, metadata, names_table, noise, save, truncate

NAMES = ("empty", "Lowland paca", "lowland paca", "cattle")
PER_SPLIT = 4
ROWS = [
    (split, (number + place) % 4, f"{split}-{place}.jpg")
    for place in range(PER_SPLIT)
    for number, split in enumerate(IWILDCAM_SPLITS)
]


def load(root: Path, **fields: Any) -> Splits:
    return build_data(IWildCamData(name="iwildcam", **{"size": 8} | fields), seed=0, root=root)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four images in each of the five splits, the value of each ten times its row."""
    folder = tmp_path / "iwildcam_v2.0"
    metadata(folder / "metadata.csv", ROWS)
    names_table(tmp_path / "iwildcam" / "iwildcam_labels.csv", NAMES)
    for row, (_, _, filename) in enumerate(ROWS):
        save(folder / "train" / filename, 10 * row, size=(20, 16))
    return tmp_path


def test_splits_labels_and_lazy_images(root: Path) -> None:
    splits = load(root)
    assert splits.class_names == NAMES
    assert [len(part) for part in (splits.train, splits.val, splits.test)] == [4, 4, 4]
    assert isinstance(splits.train.samples, ImageFiles)
    assert splits.train.labels.tolist() == [0, 1, 2, 3]
    assert splits.val.labels.tolist() == [3, 0, 1, 2]
    images = splits.train.samples[0:4]
    assert images.shape == (4, 3, 8, 8)
    assert images[:, 0, 0, 0].tolist() == pytest.approx([0, 50, 100, 150], abs=3)  # JPEG
    assert splits.notes == ("iwildcam: classes of one name, which prompts cannot tell apart: 'lowland paca' (1, 2)",)


def test_other_splits_may_be_judged(root: Path) -> None:
    splits = load(root, val="val", test="test")
    assert [path.name for path in splits.test.samples.paths] == [f"test-{place}.jpg" for place in range(4)]
    assert splits.sha256 != load(root).sha256


def test_cameras_and_sequences_are_kept(root: Path) -> None:
    parts = read_metadata(root / "iwildcam_v2.0" / "metadata.csv", classes=4)
    assert list(parts) == list(IWILDCAM_SPLITS)
    assert parts["val"].locations.tolist() == [1, 6, 11, 16]
    assert parts["val"].sequences.tolist() == [2, 12, 22, 32]
    kept = parts["val"].rows(torch.tensor([2]))
    assert (kept.files, kept.labels.tolist(), kept.locations.tolist()) == (("val-2.jpg",), [3], [11])


def test_missing_images_are_counted_and_named_or_skipped(root: Path) -> None:
    for name in ("train-1.jpg", "id_val-0.jpg", "val-0.jpg"):
        (root / "iwildcam_v2.0" / "train" / name).unlink()
    with pytest.raises(DataError, match=r"train: 2 of 12 images are not there \(train-1\.jpg, id_val-0\.jpg\); unpack"):
        load(root)
    splits = load(root, missing="skip")
    assert splits.train.labels.tolist() == [0, 2, 3]
    assert splits.notes[0] == (
        "iwildcam: 2 of 12 images are not there and are left out; used: train 3 of 4, id_val 3 of 4, id_test 4 of 4"
    )


def test_only_the_first_missing_images_are_named(root: Path) -> None:
    for path in (root / "iwildcam_v2.0" / "train").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"12 of 12 images are not there \((.*jpg, ){5}…\)"):
        load(root)
    with pytest.raises(DataError, match="iwildcam: the train split is empty"):
        load(root, missing="skip")


def test_truncated_images_are_found_before_training_where_asked(root: Path) -> None:
    truncate(noise(root / "iwildcam_v2.0" / "train" / "train-2.jpg"))
    splits = load(root)
    with pytest.raises(DataError, match=r"train-2\.jpg: cannot be read as an image"):
        splits.train.samples[2]
    with pytest.raises(DataError, match=r"1 of 12 images cannot be decoded:\n.*train-2\.jpg"):
        load(root, check="decode")


@pytest.mark.parametrize("column", ["split", "y", "filename", "location_remapped", "sequence_remapped"])
def test_a_missing_column_is_named(root: Path, column: str) -> None:
    path = root / "iwildcam_v2.0" / "metadata.csv"
    path.write_text(path.read_text().replace(f",{column},", ",other,", 1))
    with pytest.raises(DataError, match=rf"metadata\.csv: has no column {column}; take metadata\.csv of release v2\.0"):
        load(root)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("train", 4, "a.jpg"), r"metadata\.csv:3: class y = 4; the 4 classes are 0…3"),
        (("train", 99999, "a.jpg"), r"metadata\.csv:3: class y = 99999"),
        (("train", "cow", "a.jpg"), r"metadata\.csv:3: y, location_remapped and sequence_remapped are whole numbers"),
        (("training", 0, "a.jpg"), r"metadata\.csv:3: split 'training'; there are train, val, test, id_val, id_test"),
    ],
)
def test_a_bad_row_is_named(root: Path, row: tuple[str, Any, str], said: str) -> None:
    metadata(root / "iwildcam_v2.0" / "metadata.csv", [ROWS[0], row])
    with pytest.raises(DataError, match=said):
        load(root)


def test_a_row_that_is_cut_off_is_named(root: Path) -> None:
    metadata(root / "iwildcam_v2.0" / "metadata.csv", [ROWS[0]])
    with (root / "iwildcam_v2.0" / "metadata.csv").open("a") as file:
        file.write("1,train\n")
    with pytest.raises(DataError, match=r"metadata\.csv:3: y, location_remapped"):
        load(root)


def test_missing_files_are_named(root: Path) -> None:
    with pytest.raises(DataError, match=r"elsewhere.metadata\.csv: cannot be read .*unpack iwildcam_v2\.0 there"):
        load(root, path="elsewhere")
    with pytest.raises(DataError, match=r"none\.csv: cannot be read .*put a file of class names"):
        load(root, class_names="none.csv")
    (root / "iwildcam_v2.0" / "train").rename(root / "images")
    with pytest.raises(DataError, match=r"train: no such folder; the images of all splits belong there"):
        load(root)


def test_the_published_subset_is_read_as_metadata(real_data: Callable[..., Path]) -> None:
    """Rows of the release, with an unnamed index and a repeated one before the columns."""
    path = real_data("iwildcam/train_subset.csv") / "iwildcam" / "train_subset.csv"
    part = read_metadata(path, classes=182)["train"]
    assert len(part) == 6_052
    assert len(part.locations.unique()) == 15
    counts = part.labels.bincount()
    assert {label: int(counts[label]) for label in (0, 24, 32, 36, 48, 49, 52)} == {
        0: 2210, 24: 801, 32: 366, 36: 981, 48: 720, 49: 460, 52: 514,
    }  # fmt: skip


def test_the_header_is_the_releases(real_data: Callable[..., Path]) -> None:
    path = real_data("iwildcam/train_extra_subset.csv") / "iwildcam" / "train_extra_subset.csv"
    with path.open() as file:
        assert tuple(file.readline().strip().split(",")) == HEADER
