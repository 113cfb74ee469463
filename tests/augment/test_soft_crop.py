"""Soft-Augmentation's shift against a loop over pixels, and its label and weight against their formula."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from saflex_cli.augment.batch import AugmentedBatch, Upstream, clean_batch
from saflex_cli.augment.soft_crop import SoftShift, confidences, draw_shifts, soften
from saflex_cli.seeding import Streams


def make_images(size: int, channels: int, height: int, width: int, dtype: torch.dtype) -> Tensor:
    images = torch.randint(256, (size, channels, height, width), generator=torch.Generator().manual_seed(0)).byte()
    return images if dtype == torch.uint8 else images / 255


def shifted_by_loop(image: Tensor, down: int, right: int, fill: float) -> Tensor:
    """Every pixel from where the window finds it, or the background."""
    _, height, width = image.shape
    result = torch.full_like(image, fill)
    for row in range(height):
        for column in range(width):
            if 0 <= row + down < height and 0 <= column + right < width:
                result[:, row, column] = image[:, row + down, column + right]
    return result


@given(
    height=st.integers(3, 9),
    width=st.integers(3, 9),
    channels=st.sampled_from([1, 3]),
    dtype=st.sampled_from([torch.uint8, torch.float32]),
    seed=st.integers(0, 99),
)
def test_a_batch_equals_the_loop_over_its_images(
    height: int, width: int, channels: int, dtype: torch.dtype, seed: int
) -> None:
    images, labels = make_images(4, channels, height, width, dtype), torch.tensor([0, 1, 2, 1])
    step = SoftShift(sigma=0.375, power=2.0, flip=0.5, fill=0.2)
    batch = step(clean_batch(images, labels, classes=3), torch.Generator().manual_seed(seed))
    generator = torch.Generator().manual_seed(seed)
    down = draw_shifts(4, height, 0.375, generator).tolist()
    right = draw_shifts(4, width, 0.375, generator).tolist()
    mirrored = (torch.rand(4, generator=generator) < 0.5).tolist()
    for index, (dy, dx) in enumerate(zip(down, right, strict=True)):
        expected = shifted_by_loop(images[index], dy, dx, 51 if dtype == torch.uint8 else 0.2)
        assert torch.equal(batch.inputs[index], expected.flip(2) if mirrored[index] else expected)
        visible = (1 - abs(dy) / height) * (1 - abs(dx) / width)
        sure = 1 - (1 - 1 / 3) * (1 - visible) ** 2
        assert batch.sample_weights[index].item() == pytest.approx(sure, abs=1e-6)
        row = [(1 - sure) / 2] * 3
        row[int(labels[index])] = sure
        assert batch.soft_labels[index].tolist() == pytest.approx(row, abs=1e-6)


def test_confidence_is_one_where_all_is_visible_and_chance_where_nothing_is() -> None:
    sure = confidences(torch.tensor([1.0, 0.5, 0.0]), classes=5, power=2.0)
    assert sure.tolist() == pytest.approx([1.0, 0.8, 0.2])


def test_a_soft_label_is_mixed_by_the_same_rule_and_stays_a_distribution() -> None:
    labels = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])
    softened = soften(labels, torch.tensor([0.8, 0.8]))
    assert softened.tolist() == [pytest.approx([0.8, 0.1, 0.1]), pytest.approx([0.45, 0.45, 0.1])]


def test_shifts_are_normal_and_leave_something_to_see() -> None:
    """σ = 10.5 of 28 pixels; cut at ± 28, which takes 0.8 % away and lowers the deviation to 10.2."""
    shifts = draw_shifts(100_000, 28, 0.375, torch.Generator().manual_seed(0)).double()
    assert shifts.abs().max() <= 28
    assert shifts.mean().item() == pytest.approx(0, abs=0.15)
    assert shifts.std().item() == pytest.approx(10.2, abs=0.1)


def test_a_shift_that_never_fits_is_none() -> None:
    class Far(torch.Generator):
        """Any generator: what matters is a σ so large that every draw falls outside."""

    assert draw_shifts(3, 28, 1e6, Far().manual_seed(0)).tolist() == [0, 0, 0]


def test_weights_of_an_earlier_step_are_kept() -> None:
    batch = clean_batch(make_images(3, 1, 6, 6, torch.uint8), torch.tensor([0, 1, 0]), classes=2)
    halved = AugmentedBatch(batch.inputs, batch.soft_labels, batch.sample_weights / 2)
    step = SoftShift(sigma=0.3, power=2.0, flip=0.5, fill=0.5)
    whole = step(batch, torch.Generator().manual_seed(0)).sample_weights
    np.testing.assert_allclose(step(halved, torch.Generator().manual_seed(0)).sample_weights, whole / 2)


def test_from_its_epoch_on_the_shift_is_nearly_none() -> None:
    step = SoftShift(sigma=0.375, power=2.0, flip=0.0, fill=0.5, narrow_from=2)
    upstream = Upstream((("soft_crop-0", step),), classes=2)
    images, labels = make_images(8, 1, 28, 28, torch.uint8), torch.zeros(8, dtype=torch.long)
    changed = [not torch.equal(upstream.epoch(Streams(0), epoch)(images, labels).inputs, images) for epoch in range(4)]
    assert changed == [True, True, False, False]
    late = upstream.epoch(Streams(0), 0, scheduled=3)(images, labels).inputs
    assert torch.equal(late, images), "the schedule's epoch is not that of the streams"
