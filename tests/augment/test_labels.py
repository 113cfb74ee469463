"""Corrupted labels are wrong, and as many as asked for."""

from typing import Literal

import pytest
import torch

from saflex_cli.augment.batch import AugmentedBatch, clean_batch
from saflex_cli.augment.labels import LabelCorruption


def make_batch(size: int = 20_000, classes: int = 5) -> AugmentedBatch:
    labels = torch.arange(size) % classes
    return clean_batch(torch.zeros(size, 1), labels, classes)


def test_next_moves_the_asked_share_by_one_class() -> None:
    batch = make_batch()
    corrupted = LabelCorruption(share=0.3, to="next")(batch, torch.Generator().manual_seed(0))
    before, after = batch.soft_labels.argmax(1), corrupted.soft_labels.argmax(1)
    moved = before != after
    assert abs(moved.float().mean() - 0.3) < 0.01
    assert torch.equal(after[moved], (before[moved] + 1) % 5)


def test_uniform_reaches_every_other_class_equally_often() -> None:
    batch = make_batch()
    corrupted = LabelCorruption(share=1.0, to="uniform")(batch, torch.Generator().manual_seed(0))
    shift = (corrupted.soft_labels.argmax(1) - batch.soft_labels.argmax(1)) % 5
    share = shift.bincount(minlength=5) / len(shift)
    assert share[0] == 0
    assert (share[1:] - 0.25).abs().max() < 0.015


def test_a_soft_label_keeps_its_shape() -> None:
    batch = AugmentedBatch(torch.zeros(1, 1), torch.tensor([[0.7, 0.3, 0.0]]), torch.ones(1))
    corrupted = LabelCorruption(share=1.0, to="next")(batch, torch.Generator().manual_seed(0))
    torch.testing.assert_close(corrupted.soft_labels, torch.tensor([[0.0, 0.7, 0.3]]))


@pytest.mark.parametrize("to", ["next", "uniform"])
def test_the_true_classes_stay_however_often_labels_are_corrupted(to: Literal["next", "uniform"]) -> None:
    batch, generator = make_batch(), torch.Generator().manual_seed(0)
    corrupt = LabelCorruption(share=0.5, to=to)
    twice = corrupt(corrupt(batch, generator), generator)
    assert twice.true_labels is not None
    assert torch.equal(twice.true_labels, batch.soft_labels.argmax(1))
    assert not torch.equal(twice.true_labels, twice.soft_labels.argmax(1))


def test_no_share_no_change() -> None:
    batch = make_batch(100)
    assert torch.equal(LabelCorruption(0.0, "next")(batch, torch.Generator()).soft_labels, batch.soft_labels)
