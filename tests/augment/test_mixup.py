"""Inputs, labels and weights are mixed in the same shares, and the shares are Beta(α, α)."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from saflex_cli.augment.batch import AugmentedBatch, clean_batch
from saflex_cli.augment.mixup import PairMixup, draw_shares


def marked_batch(size: int, shape: tuple[int, ...] = (1, 8, 8)) -> AugmentedBatch:
    """Each sample has a class and an input channel of its own, so that the mixed input tells who was mixed."""
    inputs = torch.eye(size).view(size, size, 1, 1).expand(-1, -1, *shape[1:])
    return clean_batch(inputs, torch.arange(size), classes=size)


def mixed(batch: AugmentedBatch, alpha: float = 1.0, seed: int = 0, *, per_sample: bool = False) -> AugmentedBatch:
    return PairMixup(alpha, per_sample=per_sample)(batch, torch.Generator().manual_seed(seed))


@given(
    size=st.integers(1, 12),
    pixels=st.integers(8, 32),
    seed=st.integers(0, 99),
    alpha=st.floats(0.1, 4),
    per_sample=st.booleans(),
)
def test_inputs_and_labels_are_mixed_alike(size: int, pixels: int, seed: int, alpha: float, per_sample: bool) -> None:
    result = mixed(marked_batch(size, (1, pixels, pixels)), alpha, seed, per_sample=per_sample)
    torch.testing.assert_close(result.inputs[:, :, 0, 0], result.soft_labels)
    assert torch.equal(result.inputs.amax((2, 3)), result.inputs.amin((2, 3)))
    torch.testing.assert_close(result.soft_labels.sum(1), torch.ones(size))
    assert ((result.soft_labels > 0).sum(1) <= 2).all()
    assert torch.equal(result.sample_weights, torch.ones(size))


def test_partners_are_a_permutation() -> None:
    labels = mixed(marked_batch(12), seed=3).soft_labels
    torch.testing.assert_close(labels.sum(0), torch.ones(12))


def test_one_share_for_the_batch_or_one_for_each_sample() -> None:
    def shares(*, per_sample: bool) -> list[float]:
        own = mixed(marked_batch(12), per_sample=per_sample).soft_labels.diagonal()
        return own[own < 0.9999].mul(10_000).round().unique().tolist()

    assert len(shares(per_sample=False)) == 1
    assert len(shares(per_sample=True)) > 6


def test_uint8_images_are_mixed_as_intensities() -> None:
    images = torch.randint(256, (8, 3, 9, 9)).byte()
    labels = torch.arange(8)
    whole, real = (mixed(clean_batch(kind, labels, classes=8)) for kind in (images, images / 255))
    assert whole.inputs.dtype == torch.float32
    assert torch.equal(whole.inputs, real.inputs)
    assert whole.inputs.max() <= 1


def test_weights_are_mixed_in_the_same_shares() -> None:
    batch = marked_batch(6)
    weights = torch.rand(6)
    result = mixed(AugmentedBatch(batch.inputs, batch.soft_labels, weights), per_sample=True)
    torch.testing.assert_close(result.sample_weights, result.soft_labels @ weights)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_shares_are_beta(alpha: float) -> None:
    shares = draw_shares(alpha, 5000, torch.Generator().manual_seed(0))
    assert stats.kstest(shares.numpy(), stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_shares_of_many_batches_are_beta_too() -> None:
    """One draw a batch, each from a seed of its own, must not be worse distributed than many draws from one seed."""
    generator = torch.Generator().manual_seed(0)
    shares = torch.cat([draw_shares(0.5, 1, generator) for _ in range(3000)])
    assert stats.kstest(shares.numpy(), stats.beta(0.5, 0.5).cdf).pvalue > 0.01


@pytest.mark.parametrize("alpha", [1e-4, 1e6])
def test_extreme_alphas_stay_finite(alpha: float) -> None:
    shares = draw_shares(alpha, 1000, torch.Generator().manual_seed(0))
    assert 0 <= shares.min() <= shares.max() <= 1


def test_the_generator_decides() -> None:
    batch = marked_batch(8)
    torch.rand(3)
    assert torch.equal(mixed(batch, seed=1).inputs, mixed(batch, seed=1).inputs)
    assert not torch.equal(mixed(batch, seed=1).inputs, mixed(batch, seed=2).inputs)
