"""Data that cannot be trained or judged on are refused by name."""

import dataclasses

import pytest
import torch

from saflex_cli.data.splits import PixelScale, Split, Splits, checked_splits
from saflex_cli.errors import DataError


def make_splits(*, classes: int = 3, **parts: Split) -> Splits:
    good = Split(torch.zeros(4, 2), torch.tensor([0, 1, 1, 0]))
    chosen = {"train": good, "val": good, "test": good} | parts
    return Splits(**chosen, class_names=tuple(map(str, range(classes))), scale=PixelScale(), sha256="")


def test_good_splits_pass() -> None:
    splits = make_splits()
    assert checked_splits(splits, "mine") is splits


@pytest.mark.parametrize("label", [-1, 3])
@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_a_label_out_of_range_is_named(part: str, label: int) -> None:
    bad = Split(torch.zeros(2, 2), torch.tensor([0, label]))
    with pytest.raises(DataError, match=f"mine: {part} has label {label}; the classes are 0…2"):
        checked_splits(make_splits(**{part: bad}), "mine")


def test_an_empty_split_is_named() -> None:
    empty = Split(torch.zeros(0, 2), torch.zeros(0, dtype=torch.long))
    with pytest.raises(DataError, match="mine: the val split is empty"):
        checked_splits(make_splits(val=empty), "mine")


def test_one_class_is_not_a_classification_task() -> None:
    with pytest.raises(DataError, match="1 class; a classifier needs at least 2"):
        checked_splits(make_splits(classes=1), "mine")


def test_joined_and_moved_keep_samples_and_labels_together() -> None:
    first = Split(torch.zeros(2, 2), torch.tensor([0, 0]))
    second = Split(torch.ones(1, 2), torch.tensor([1]))
    joined = first.joined(second)
    assert joined.inputs[:, 0].tolist() == [0, 0, 1]
    assert joined.labels.tolist() == [0, 0, 1]
    moved = make_splits().to(torch.device("cpu"))
    assert dataclasses.fields(moved) == dataclasses.fields(make_splits())
