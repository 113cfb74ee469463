"""Any file in MedMNIST's format can be brought along; what is wrong with it is said by name."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from saflex_cli.config.components import NpzData
from saflex_cli.data.build import build_data
from saflex_cli.data.npz import read_npz
from saflex_cli.data.splits import Splits
from saflex_cli.errors import DataError
from tests.data.made_up import arrays, write


def load(path: Path, **fields: Any) -> Splits:
    return build_data(NpzData(name="npz", path=path.name, **fields), seed=0, root=path.parent)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mine.npz"


@pytest.mark.parametrize("rgb", [False, True])
def test_a_complete_file_is_read_as_it_is(path: Path, rgb: bool) -> None:
    made = arrays(classes=4, size=9, rgb=rgb)
    splits = load(write(path, made))
    assert splits.class_names == ("0", "1", "2", "3")
    assert splits.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    for name, part in (("train", splits.train), ("val", splits.val), ("test", splits.test)):
        assert part.inputs.shape == (40, 3 if rgb else 1, 9, 9)
        assert torch.equal(part.inputs[:, 0, 0, 0].long(), part.labels)
        assert np.array_equal(part.labels.numpy(), made[f"{name}_labels"][:, 0])


def test_an_absolute_path_and_flat_labels(path: Path, tmp_path: Path) -> None:
    made = arrays()
    made |= {key: value.reshape(-1).astype(np.int32) for key, value in made.items() if key.endswith("labels")}
    splits = build_data(NpzData(name="npz", path=str(write(path, made))), seed=0, root=tmp_path / "elsewhere")
    assert splits.train.labels.tolist() == [0] * 10 + [1] * 10 + [2] * 10


def test_missing_splits_are_carved_the_same_for_every_seed(path: Path) -> None:
    made = {key: value for key, value in arrays(per_class=20).items() if key.startswith("train")}
    config = NpzData(name="npz", path=write(path, made).name)
    first, second = (build_data(config, seed, path.parent) for seed in (0, 1))
    assert [len(part) for part in (first.train, first.val, first.test)] == [42, 6, 12]
    assert torch.equal(first.test.inputs, second.test.inputs)
    assert first.test.labels.bincount().tolist() == [4, 4, 4]


def test_without_permission_to_carve_a_missing_split_is_refused(path: Path) -> None:
    made = {key: value for key, value in arrays().items() if not key.startswith("val")}
    with pytest.raises(DataError, match=r"mine\.npz: has no val_images"):
        read_npz(write(path, made))


def test_the_largest_label_of_any_split_counts(path: Path) -> None:
    made = arrays()
    made["test_labels"][-1] = 3
    assert load(write(path, made)).classes == 4


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no train": ({"train_images": None, "train_labels": None}, "no array train_images"),
    "no labels": ({"val_labels": None}, "no array val_labels"),
    "no images": ({"test_images": None}, "no array test_images"),
    "unknown": ({"valid_images": np.zeros((1, 6, 6), np.uint8)}, "unknown array valid_images"),
    "float images": ({"train_images": np.zeros((30, 6, 6))}, "train_images: dtype float64; images are uint8"),
    "four channels": ({"val_images": np.zeros((30, 6, 6, 4), np.uint8)}, r"val_images: shape \(30, 6, 6, 4\)"),
    "volumes": ({"val_images": np.zeros((30, 6, 6, 6), np.uint8)}, "volumes"),
    "scalar images": ({"val_images": np.uint8(3)}, r"val_images: shape \(\)"),
    "empty": (
        {"val_images": np.zeros((0, 6, 6), np.uint8), "val_labels": np.zeros((0, 1), np.uint8)},
        "val_images: is empty",
    ),
    "another size": ({"val_images": np.zeros((30, 7, 7), np.uint8)}, "images differ in shape between the splits"),
    "float labels": ({"test_labels": np.zeros((30, 1))}, "test_labels: dtype float64; labels are integers"),
    "many labels": ({"test_labels": np.zeros((30, 14), np.uint8)}, "14 labels per image, a multi-label set"),
    "scalar labels": ({"test_labels": np.uint8(3)}, r"test_labels: shape \(\)"),
    "no label": ({"test_labels": np.zeros((30, 0), np.uint8)}, r"test_labels: shape \(30, 0\)"),
    "lengths": ({"train_labels": np.zeros((29, 1), np.uint8)}, "train has 30 images but 29 labels"),
    "a gap": ({"train_labels": np.full((30, 1), 255, np.uint8)}, r"labels 0, 1, 2, 255; number the classes 0…3"),
    "negative": ({"train_labels": np.full((30, 1), -1, np.int8)}, "labels -1, 0, 1, 2; number the classes"),
    "objects": ({"train_labels": np.array([None] * 30)}, "cannot be read"),
}


@pytest.mark.parametrize(("changes", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(path: Path, changes: dict[str, Any], message: str) -> None:
    made = {key: value for key, value in (arrays() | changes).items() if value is not None}
    with pytest.raises(DataError, match=rf"mine\.npz: .*{message}"):
        load(write(path, made))


def test_labels_beyond_the_given_names_are_refused(path: Path) -> None:
    with pytest.raises(DataError, match=r"mine\.npz: train_labels has label 2; the classes are 0…1"):
        read_npz(write(path, arrays()), class_names=("no", "yes"))


def test_a_missing_file(path: Path) -> None:
    with pytest.raises(DataError, match=r"mine\.npz: no such file"):
        load(path)


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_a_truncated_file(path: Path, kept: float) -> None:
    content = write(path, arrays()).read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if kept < 1 else int(kept)])
    with pytest.raises(DataError, match=r"mine\.npz: not an npz file, or a truncated one"):
        load(path)


def test_damage_inside_the_file(path: Path) -> None:
    content = bytearray(write(path, arrays()).read_bytes())
    content[200:260] = bytes(60)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"mine\.npz: cannot be read"):
        load(path)


def test_a_plain_array_is_not_an_npz(path: Path) -> None:
    with path.open("wb") as handle:
        np.save(handle, np.zeros(3))
    with pytest.raises(DataError, match="not an npz file"):
        load(path)
