"""Samples in groups get what each would get alone, in the order that it drew; draws are uniform."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from saflex_cli.augment.batch import clean_batch
from saflex_cli.augment.operations import OPERATIONS
from saflex_cli.augment.randaugment import PerSampleRandAugment, draw_operations


def make_images(size: int, channels: int, height: int, width: int, seed: int = 0) -> Tensor:
    return torch.randint(256, (size, channels, height, width), generator=torch.Generator().manual_seed(seed)).byte()


def augmented(step: PerSampleRandAugment, images: Tensor, seed: int = 0) -> Tensor:
    batch = clean_batch(images, torch.arange(len(images)) % 2, classes=2)
    result = step(batch, torch.Generator().manual_seed(seed))
    assert torch.equal(result.soft_labels, batch.soft_labels)
    return result.inputs


def one_by_one(step: PerSampleRandAugment, images: Tensor, seed: int) -> Tensor:
    """Obviously correct: the same draws, then sample after sample, operation after operation."""
    generator = torch.Generator().manual_seed(seed)
    rounds = [draw_operations(len(images), generator) for _ in range(step.num_ops)]
    results = []
    for index, image in enumerate(images):
        changed = image[None]
        for chosen, negative in rounds:
            operation = OPERATIONS[int(chosen[index])]
            magnitude = operation.magnitude(step.magnitude, step.num_magnitude_bins, *image.shape[1:])
            sign = -1 if operation.signed and negative[index] else 1
            changed = operation.apply(changed, sign * magnitude, round(255 * step.fill))
        results.append(changed)
    return torch.cat(results)


@given(
    size=st.integers(1, 40),
    channels=st.sampled_from([1, 3]),
    height=st.integers(8, 32),
    width=st.integers(8, 32),
    num_ops=st.integers(1, 3),
    magnitude=st.integers(0, 30),
    fill=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_equals_one_by_one(
    size: int, channels: int, height: int, width: int, num_ops: int, magnitude: int, fill: float, seed: int
) -> None:
    images = make_images(size, channels, height, width, seed)
    step = PerSampleRandAugment(num_ops, magnitude, 31, fill)
    result = augmented(step, images, seed)
    assert (result.dtype, result.shape) == (torch.uint8, images.shape)
    assert torch.equal(result, one_by_one(step, images, seed))


def test_the_second_operation_is_applied_to_the_first_ones_result() -> None:
    """Solarize at full magnitude inverts, and posterize to 4 bits drops the low ones: the order shows in the result."""
    images = torch.full((400, 1, 8, 8), 0b0001_0001, dtype=torch.uint8)
    step = PerSampleRandAugment(2, 30, 31, 0.0)
    generator = torch.Generator().manual_seed(0)
    names = [operation.name for operation in OPERATIONS]
    first, second = (draw_operations(400, generator)[0] for _ in range(2))
    posterized, solarized = names.index("Posterize"), names.index("Solarize")
    result = augmented(step, images)[:, 0, 0, 0]
    assert set(result[(first == solarized) & (second == posterized)].tolist()) == {0b1110_0000}
    assert set(result[(first == posterized) & (second == solarized)].tolist()) == {0b1110_1111}


def test_operations_are_uniform_and_signs_balanced() -> None:
    """Each of 28 outcomes within four standard deviations of its expected count."""
    size = 56_000
    chosen, negative = draw_operations(size, torch.Generator().manual_seed(0))
    counts = (2 * chosen + negative).bincount(minlength=28)
    assert len(counts) == 28
    assert (counts - size / 28).abs().max() < 4 * (size / 28) ** 0.5


def test_both_rounds_draw_anew() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = (draw_operations(20_000, generator)[0] for _ in range(2))
    assert abs((first == second).float().mean() - 1 / 14) < 0.01


@pytest.mark.parametrize("channels", [1, 3])
def test_floats_are_augmented_as_the_uint8_images_that_they_stand_for(channels: int) -> None:
    images = make_images(32, channels, 28, 28)
    step = PerSampleRandAugment(2, 9, 31, 0.0)
    assert torch.equal(augmented(step, images / 255), augmented(step, images))


def test_the_generator_decides_and_the_input_is_left_alone() -> None:
    images, step = make_images(32, 3, 28, 28), PerSampleRandAugment(2, 9, 31, 0.0)
    first, state = augmented(step, images), torch.get_rng_state()
    assert torch.equal(images, make_images(32, 3, 28, 28))
    torch.rand(3)
    assert torch.equal(first, augmented(step, images))
    assert not torch.equal(first, augmented(step, images, seed=1))
    torch.set_rng_state(state)
    augmented(step, images)
    assert torch.equal(state, torch.get_rng_state())


def test_samples_of_one_batch_are_augmented_differently() -> None:
    images = make_images(1, 3, 28, 28).expand(200, -1, -1, -1)
    assert len(augmented(PerSampleRandAugment(2, 9, 31, 0.0), images).flatten(1).unique(dim=0)) > 100


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_batch_on_the_gpu_becomes_what_it_becomes_on_the_cpu_and_stays_there():
    step, images = PerSampleRandAugment(2, 20, 31, 0.5), make_images(64, 1, 28, 28)
    on_device = augmented(step, images.cuda())
    assert on_device.is_cuda
    assert torch.equal(on_device.cpu(), augmented(step, images))
