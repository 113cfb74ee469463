"""Steps keep their random streams when others are left out; a user's function can take their place."""

from pathlib import Path

import pytest
import torch

from saflex_cli.augment.batch import AugmentedBatch, Upstream
from saflex_cli.augment.build import build_upstream, upstream_from_function
from saflex_cli.config.schema import AugmenterStep, CorruptLabels, Rotation
from saflex_cli.errors import DataError
from saflex_cli.seeding import Streams

IMAGES = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(16) % 4
ROTATION = Rotation(name="rotation", degrees=60)
CORRUPTION = CorruptLabels(name="corrupt_labels", share=0.5)


def build(*steps: AugmenterStep) -> Upstream:
    names = ("a", "b", "c", "d")
    return build_upstream(steps, shape=(1, 8, 8), class_names=names, mean=0.5, std=0.5, root=Path())


def augmented(upstream: Upstream, epoch: int = 0, seed: int = 0) -> AugmentedBatch:
    return upstream.epoch(Streams(seed), epoch)(IMAGES, LABELS)


def test_leaving_a_step_out_does_not_move_the_others() -> None:
    both, rotated, corrupted = (augmented(build(*s)) for s in ((ROTATION, CORRUPTION), (ROTATION,), (CORRUPTION,)))
    assert torch.equal(both.inputs, rotated.inputs)
    assert torch.equal(both.soft_labels, corrupted.soft_labels)
    assert torch.equal(corrupted.inputs, IMAGES)


def test_the_same_epoch_repeats_and_another_does_not() -> None:
    upstream = build(ROTATION)
    assert torch.equal(augmented(upstream).inputs, augmented(upstream).inputs)
    assert not torch.equal(augmented(upstream).inputs, augmented(upstream, epoch=1).inputs)
    assert not torch.equal(augmented(upstream).inputs, augmented(upstream, seed=1).inputs)


def test_two_steps_of_one_kind_have_streams_of_their_own() -> None:
    once, twice = augmented(build(ROTATION)), augmented(build(ROTATION, ROTATION))
    assert not torch.equal(once.inputs, twice.inputs)
    half = build(CORRUPTION, CORRUPTION)
    moved = (augmented(half).soft_labels.argmax(1) - LABELS) % 4
    assert set(moved.tolist()) == {0, 1, 2}


def test_a_function_may_return_classes_soft_labels_or_a_batch() -> None:
    soft = torch.full((16, 4), 0.25)

    def classes(x: torch.Tensor, y: torch.Tensor, g: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        return x + torch.rand(x.shape, generator=g), y

    def batch(x: torch.Tensor, _y: torch.Tensor, _g: torch.Generator) -> AugmentedBatch:
        return AugmentedBatch(x, soft, torch.full((16,), 0.5))

    assert torch.equal(augmented(upstream_from_function(classes, 4)).soft_labels.argmax(1), LABELS)
    assert torch.equal(
        augmented(upstream_from_function(classes, 4)).inputs, augmented(upstream_from_function(classes, 4)).inputs
    )
    assert torch.equal(augmented(upstream_from_function(lambda x, _y, _g: (x, soft), 4)).soft_labels, soft)
    assert augmented(upstream_from_function(batch, 4)).sample_weights.tolist() == [0.5] * 16


def test_a_function_that_returns_the_wrong_thing_is_told() -> None:
    with pytest.raises(DataError, match=r"outside 0…3"):
        augmented(upstream_from_function(lambda x, y, _g: (x, y + 4), 4))
    with pytest.raises(DataError, match=r"returned 16 samples with labels \(8, 4\)"):
        augmented(upstream_from_function(lambda x, y, _g: (x, y[:8]), 4))
    with pytest.raises(DataError, match=r"expected \(B, 4\)"):
        augmented(upstream_from_function(lambda x, _y, _g: (x, torch.ones(16, 7)), 4))
