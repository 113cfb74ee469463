"""Noise has the asked variance, leaves labels alone, and keeps images within their range."""

import torch

from saflex_cli.augment.batch import clean_batch
from saflex_cli.augment.noise import AdditiveNoise

LABELS = torch.zeros(200, dtype=torch.long)


def noisy(inputs: torch.Tensor, std: float, *, clamp: bool) -> torch.Tensor:
    batch = clean_batch(inputs, LABELS, 2)
    result = AdditiveNoise(std, clamp=clamp)(batch, torch.Generator().manual_seed(0))
    assert torch.equal(result.soft_labels, batch.soft_labels)
    assert torch.equal(result.sample_weights, batch.sample_weights)
    assert result.inputs.dtype == inputs.dtype
    return result.inputs


def test_vectors_move_by_noise_of_the_asked_size_and_are_not_clamped() -> None:
    inputs = 5 * torch.randn(200, 50)
    moved = noisy(inputs, 0.7, clamp=False) - inputs
    assert abs(moved.mean()) < 0.02
    assert abs(moved.std() - 0.7) < 0.01


def test_images_of_both_kinds_get_the_same_noise_and_stay_in_range() -> None:
    images = torch.randint(256, (200, 1, 6, 6)).byte()
    as_bytes, as_floats = noisy(images, 0.1, clamp=True), noisy(images / 255, 0.1, clamp=True)
    assert 0 <= as_floats.min() < as_floats.max() <= 1
    torch.testing.assert_close(as_bytes / 255, as_floats, atol=0.5 / 255 + 1e-6, rtol=0)
    inner = (images > 128) & (images < 132)  # far from where sums are clamped
    assert abs((as_floats - images / 255)[inner].std() - 0.1) < 0.02
