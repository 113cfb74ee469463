"""Intensities of both kinds become the same inputs; the network's last layer stays the model's head."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from saflex_cli.core.heads import recorded_head
from saflex_cli.models.standardise import Standardised, standardise


def test_the_worked_case() -> None:
    white = torch.tensor([0, 255], dtype=torch.uint8)
    assert standardise(white, 0.5, 0.25).tolist() == [-2.0, 2.0]
    assert standardise(white / 255, 0.5, 0.25).tolist() == [-2.0, 2.0]


@given(
    size=st.integers(1, 32),
    channels=st.sampled_from([1, 3]),
    mean=st.floats(0, 1),
    std=st.floats(0.01, 2),
    seed=st.integers(0, 99),
)
def test_every_pixel_is_shifted_and_divided(size: int, channels: int, mean: float, std: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (2, channels, size, size), generator=generator).byte()
    expected = (images.double() / 255 - mean) / std
    for given_images in (images, images / 255):
        result = standardise(given_images, mean, std)
        assert result.dtype == torch.float32
        torch.testing.assert_close(result.double(), expected, rtol=1e-5, atol=1e-5)


def test_floats_keep_their_precision() -> None:
    assert standardise(torch.zeros(1, dtype=torch.float64), 0.5, 0.5).dtype == torch.float64


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_the_head_is_found_through_the_wrapper(dtype: torch.dtype) -> None:
    head = nn.Linear(12, 3)
    model = Standardised(0.5, 0.5, nn.Sequential(nn.Flatten(), nn.Linear(12, 12), head))
    with recorded_head(model, None) as recorder:
        logits = model(torch.ones(2, 3, 2, 2, dtype=dtype))
    assert recorder.resolve(model, logits)[0] is head


def test_nothing_is_added_to_the_checkpoint() -> None:
    assert set(Standardised(0.5, 0.5, nn.Linear(1, 2)).state_dict()) == {"net.weight", "net.bias"}
