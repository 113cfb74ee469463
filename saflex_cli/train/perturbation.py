"""The search of LP-A3: images far away in a net's features, whose label keeps its probability.

Yang et al., NeurIPS 2022, with the fast Lagrangian attack of Laidlaw et al., ICLR 2021. `docs/peers.md` lists what is
published and what is our choice.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

_NOISE = 0.01
_TRIAL = 0.1
_LEAST_SLOPE = 1.0e-4
_LEAST_NORM = 1.0e-8
_LEAST_FEATURE = 1.0e-10


@dataclass(frozen=True)
class Search:
    """How far and how long: fields as in the recipe."""

    bound: float
    lam: float
    iterations: int

    def multiplier(self, iteration: int) -> float:
        """λ_t = lam · 0.1^(1 − t/T) at iteration t of T, counted from 0: from 0.1 lam upwards."""
        return self.lam * math.pow(0.1, 1 - iteration / self.iterations)

    def step_size(self, iteration: int) -> float:
        """The change of the log-probability that step t aims at: bound · 0.1^(t/T), from bound downwards."""
        return self.bound * math.pow(0.1, iteration / self.iterations)


@dataclass(frozen=True)
class Seen:
    """What the net makes of images: log p(y | x) of their labels, and features (B, C, …) of several layers."""

    log_prob: Float[Tensor, " batch"]
    features: Sequence[Float[Tensor, "batch _ ..."]]


Probe = Callable[[Tensor], Seen]
"""Float images (B, …) with intensities around [0, 1] to what the net makes of them; differentiable."""


def flat_features(features: Sequence[Float[Tensor, "batch _ ..."]]) -> Float[Tensor, "batch all"]:
    """Each layer's features divided by their norm over the channels and by √positions, all in one row per image.

    Every layer's part of a row therefore has norm 1, unless all its channels are 0 somewhere.
    """
    rows = []
    for layer in features:
        norm = torch.linalg.vector_norm(layer, dim=1, keepdim=True) + _LEAST_FEATURE
        positions = math.prod(layer.shape[2:])
        rows.append((layer / (norm * math.sqrt(positions))).flatten(1))
    return torch.cat(rows, 1)


def perturb(
    images: Float[Tensor, "batch ..."], probe: Probe, search: Search, generator: torch.Generator
) -> Float[Tensor, "batch ..."]:
    """Images in [0, 1] that minimise −distance + λ max(0, log p(y|x) − log p(y|x + δ) − bound), image by image.

    The distance is the Euclidean one of `flat_features`. The noise at the start is uniform in ±0.01.
    """
    with torch.no_grad():
        clean = probe(images)
        reference = flat_features(clean.features)
    noise = (2 * torch.rand(images.shape, generator=generator) - 1) * _NOISE
    moved = (images + noise.to(images)).clamp(0, 1)
    for iteration in range(search.iterations):
        moved = _advance(moved, probe, search, iteration, clean.log_prob, reference)
    return moved


def _advance(
    moved: Float[Tensor, "batch ..."],
    probe: Probe,
    search: Search,
    iteration: int,
    clean_log_prob: Float[Tensor, " batch"],
    reference: Float[Tensor, "batch all"],
) -> Float[Tensor, "batch ..."]:
    """One step down the gradient, of a length at which the log-probability changes by about the step size."""
    with torch.enable_grad():
        moved = moved.detach().requires_grad_()
        seen = probe(moved)
        distance = torch.linalg.vector_norm(flat_features(seen.features) - reference, dim=1)
        excess = functional.relu(clean_log_prob - seen.log_prob - search.bound)
        (gradient,) = torch.autograd.grad((search.multiplier(iteration) * excess - distance).sum(), moved)
    with torch.no_grad():
        ones = (-1, *[1] * (moved.ndim - 1))
        direction = -gradient / (torch.linalg.vector_norm(gradient.flatten(1), dim=1) + _LEAST_NORM).view(ones)
        slope = (probe(moved + _TRIAL * direction).log_prob - seen.log_prob).abs() / _TRIAL
        length = search.step_size(iteration) / (slope + _LEAST_SLOPE)
        return torch.clamp(moved + length.view(ones) * direction, 0, 1)
