"""The digits are the published ones, split class by class, and the same for every method of a seed."""

from pathlib import Path

import pytest
import torch

from saflex_cli.config.components import DigitsData
from saflex_cli.data.build import build_data
from saflex_cli.errors import DataError

ROOT = Path("nowhere")  # the digits travel with scikit-learn


def test_sizes_values_and_classes() -> None:
    splits = build_data(DigitsData(name="digits", train=500, val=250), seed=0, root=ROOT)
    assert (len(splits.train), len(splits.val), len(splits.test)) == (500, 250, 1047)
    assert splits.train.inputs.shape == (500, 1, 8, 8)
    assert splits.classes == 10
    assert splits.train.inputs.min() == 0
    assert splits.train.inputs.max() == 1
    assert splits.sha256.startswith("65e5b4")


def test_every_image_is_used_once() -> None:
    splits = build_data(DigitsData(name="digits"), seed=3, root=ROOT)
    everything = torch.cat([part.inputs.flatten(1) for part in (splits.train, splits.val, splits.test)])
    whole = build_data(DigitsData(name="digits"), seed=4, root=ROOT)
    again = torch.cat([part.inputs.flatten(1) for part in (whole.train, whole.val, whole.test)])
    assert torch.equal(everything.sum(0), again.sum(0))
    assert len(everything.unique(dim=0)) == len(again.unique(dim=0))


def test_classes_are_balanced_in_every_split() -> None:
    splits = build_data(DigitsData(name="digits"), seed=0, root=ROOT)
    for part in (splits.train, splits.val, splits.test):
        share = part.labels.bincount(minlength=10) / len(part)
        assert (share - 0.1).abs().max() < 0.02


def test_the_seed_moves_the_split_unless_it_is_fixed() -> None:
    def labels(seed: int, split_seed: int | None) -> torch.Tensor:
        return build_data(DigitsData(name="digits", split_seed=split_seed), seed, ROOT).train.labels

    assert torch.equal(labels(0, None), labels(0, None))
    assert not torch.equal(labels(0, None), labels(1, None))
    assert torch.equal(labels(0, 7), labels(1, 7))


@pytest.mark.parametrize(("train", "val"), [(1797, 10), (1780, 10), (5, 250), (500, 3)])
def test_sizes_that_leave_a_split_empty_are_refused(train: int, val: int) -> None:
    with pytest.raises(DataError, match=r"data\.train = \d+ and data\.val = \d+ must leave at least 10"):
        build_data(DigitsData(name="digits", train=train, val=val), seed=0, root=ROOT)
