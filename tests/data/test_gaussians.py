"""The points are where they should be, of the asked number, and the same for every method of a seed."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from saflex_cli.config.components import GaussiansData
from saflex_cli.data.build import build_data
from saflex_cli.data.splits import Splits
from saflex_cli.errors import DataError


def build(seed: int = 0, **changes: Any) -> Splits:
    return build_data(GaussiansData(name="gaussians", **changes), seed, Path("nowhere"))


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_centres_lie_on_the_circle_and_points_spread_about_them(classes: int) -> None:
    splits = build(classes=classes, train=3000, val=50, test=50, spread=0.3)
    for k in range(classes):
        points = splits.train.inputs[splits.train.labels == k].double()
        angle = 2 * math.pi * k / classes + math.pi / 2
        centre = torch.tensor([math.cos(angle), math.sin(angle)]).double()
        assert (points.mean(0) - centre).abs().max() < 0.06
        assert (points.std(0) - 0.3).abs().max() < 0.03


def test_sizes_kinds_and_classes() -> None:
    splits = build(train=60, val=30, test=90)
    assert [len(part) for part in (splits.train, splits.val, splits.test)] == [60, 30, 90]
    assert splits.train.inputs.shape == (60, 2)
    assert splits.train.inputs.dtype == torch.float32
    assert splits.class_names == ("0", "1", "2")
    assert (splits.scale.mean, splits.scale.std) == (0.0, 1.0)
    for part in (splits.train, splits.val, splits.test):
        assert part.labels.bincount().tolist() == [len(part) // 3] * 3


def test_every_point_of_the_pool_is_used_once() -> None:
    def points(seed: int) -> torch.Tensor:
        splits = build(seed, train=60, val=30, test=90)
        return torch.cat([part.inputs for part in (splits.train, splits.val, splits.test)])

    assert torch.equal(points(0).unique(dim=0), points(1).unique(dim=0))
    assert len(points(0).unique(dim=0)) == 180


def test_the_seed_moves_the_split_unless_it_is_fixed_and_never_the_pool() -> None:
    assert torch.equal(build(0).train.inputs, build(0).train.inputs)
    assert not torch.equal(build(0).train.inputs, build(1).train.inputs)
    assert torch.equal(build(0, split_seed=7).train.inputs, build(1, split_seed=7).train.inputs)
    assert build(0).sha256 == build(1).sha256
    assert build(0).sha256 != build(0, spread=0.1).sha256


@pytest.mark.parametrize("sizes", [{"train": 2}, {"val": 2}, {"test": 2}])
def test_a_split_smaller_than_the_number_of_classes_is_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(DataError, match=r"data\.train, data\.val and data\.test need at least 3 points each"):
        build(classes=3, **sizes)
