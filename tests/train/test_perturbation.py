"""LP-A3's search against a slow twin, and what its images must be."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from saflex_cli.train.perturbation import Probe, Search, Seen, flat_features, perturb


def slow_flat_features(features: list[Tensor], image: int) -> list[float]:
    """Position by position."""
    row = []
    for layer in features:
        _, channels, height, width = layer.shape
        for c in range(channels):
            for h in range(height):
                for w in range(width):
                    norm = math.sqrt(sum(float(layer[image, k, h, w]) ** 2 for k in range(channels)))
                    row.append(float(layer[image, c, h, w]) / (norm + 1e-10) / math.sqrt(height * width))
    return row


@settings(max_examples=10)
@given(seed=st.integers(0, 99), channels=st.integers(1, 3), sizes=st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_features_equal_the_slow_twin(seed: int, channels: int, sizes: list[int]) -> None:
    generator = torch.Generator().manual_seed(seed)
    features = [torch.randn(2, channels, s, s + 1, generator=generator, dtype=torch.float64) for s in sizes]
    found = flat_features(features)
    for image in range(2):
        assert found[image].tolist() == pytest.approx(slow_flat_features(features, image))
    assert found.norm(dim=1).tolist() == pytest.approx([math.sqrt(len(sizes))] * 2)


def test_silent_positions_have_a_gradient() -> None:
    """All channels 0, as after a ReLU: neither the value nor the gradient is NaN."""
    inputs = torch.tensor([[[[-1.0, 2.0]], [[-3.0, 1.0]]]], requires_grad=True)
    row = flat_features([inputs.relu()])
    row.sum().backward()
    assert row.isfinite().all()
    assert inputs.grad is not None
    assert inputs.grad.isfinite().all()


def test_schedules() -> None:
    """At T = 5: the multiplier from 0.1 lam to 0.63 lam, the step from bound to 0.16 bound."""
    search = Search(bound=0.02, lam=2.0, iterations=5)
    multipliers = [search.multiplier(t) for t in range(5)]
    steps = [search.step_size(t) for t in range(5)]
    assert multipliers == pytest.approx([2 * x for x in (0.1, 0.158489, 0.251189, 0.398107, 0.630957)], rel=1e-5)
    assert steps == pytest.approx([0.02 * x for x in (1, 0.630957, 0.398107, 0.251189, 0.158489)], rel=1e-5)


class TinyNet(nn.Module):
    """Two smooth layers, no coupling between the samples of a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 3, 3, padding=1), nn.Conv2d(3, 2, 3, stride=2, padding=1)
        self.head = nn.Linear(2, 3)

    def seen(self, images: Tensor, labels: Tensor) -> Seen:
        first = self.first(images).tanh()
        second = self.second(first).tanh()
        log_probs = (4 * self.head(second.mean((2, 3)))).log_softmax(1)
        return Seen(log_probs[torch.arange(len(labels)), labels], [first, second])


def tiny_probe(size: int) -> tuple[Tensor, Probe, list[Probe]]:
    """Images, a probe for all of them, and one for each alone."""
    net = TinyNet().double()
    images, labels = torch.rand(size, 1, 4, 4, dtype=torch.float64), torch.arange(size) % 3
    alone: list[Probe] = [lambda image, i=i: net.seen(image, labels[i : i + 1]) for i in range(size)]
    return images, lambda batch: net.seen(batch, labels), alone


def slow_perturb(image: Tensor, probe: Probe, search: Search, noise: Tensor) -> Tensor:
    """One image; the gradient by central differences, pixel by pixel, and δ beside x as published."""
    clean = probe(image)
    reference = torch.tensor(slow_flat_features(list(clean.features), 0), dtype=torch.float64)
    log_p = float(clean.log_prob)

    def objective(delta: Tensor, multiplier: float) -> float:
        seen = probe(image + delta)
        row = torch.tensor(slow_flat_features(list(seen.features), 0), dtype=torch.float64)
        return multiplier * max(0.0, log_p - float(seen.log_prob) - search.bound) - float((row - reference).norm())

    delta = torch.maximum(torch.minimum(noise, 1 - image), -image)
    for t in range(search.iterations):
        multiplier = search.lam * 0.1 ** (1 - t / search.iterations)
        gradient = torch.zeros_like(delta)
        for place in range(delta.numel()):
            h = torch.zeros_like(delta)
            h.view(-1)[place] = 1e-6
            gradient.view(-1)[place] = (objective(delta + h, multiplier) - objective(delta - h, multiplier)) / 2e-6
        direction = -gradient / gradient.norm()
        tried = float(probe(image + delta + 0.1 * direction).log_prob)
        slope = abs(tried - float(probe(image + delta).log_prob)) / 0.1
        delta = delta + direction * search.bound * 0.1 ** (t / search.iterations) / (slope + 1e-4)
        delta = torch.maximum(torch.minimum(delta, 1 - image), -image)
    return image + delta


@pytest.mark.parametrize("search", [Search(0.02, 1.0, 5), Search(0.005, 30.0, 3), Search(0.1, 0.0, 2)])
def test_the_search_equals_the_slow_twin(search: Search) -> None:
    images, probe, alone = tiny_probe(3)
    with torch.no_grad():
        noise = (torch.rand(images.shape, generator=torch.Generator().manual_seed(3)).double() * 2 - 1) * 0.01
        expected = [slow_perturb(images[i : i + 1], alone[i], search, noise[i : i + 1]) for i in range(3)]
    found = perturb(images, probe, search, torch.Generator().manual_seed(3))
    torch.testing.assert_close(found, torch.cat(expected), rtol=1e-3, atol=1e-4)


@given(seed=st.integers(0, 99), bound=st.floats(0.001, 5), lam=st.floats(0, 5), iterations=st.integers(1, 4))
def test_images_stay_images(seed: int, bound: float, lam: float, iterations: int) -> None:
    images, probe, _ = tiny_probe(4)
    images[0], images[1] = 0, 1
    found = perturb(images, probe, Search(bound, lam, iterations), torch.Generator().manual_seed(seed))
    assert ((found >= 0) & (found <= 1)).all()
    assert not found.requires_grad
    assert not torch.equal(found, images)


def test_the_start_is_noise_of_one_percent() -> None:
    """Steps of no length leave the noise alone."""
    images, probe, _ = tiny_probe(50)
    images = images * 0.5 + 0.25
    noise = perturb(images, probe, Search(1e-12, 1.0, 1), torch.Generator().manual_seed(0)) - images
    assert noise.abs().max() <= 0.01 + 1e-6
    assert noise.abs().mean().item() == pytest.approx(0.005, rel=0.05)
    assert abs(noise.mean().item()) < 1e-3
