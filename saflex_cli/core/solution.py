"""From Π to labels and weights: one formula with every reading of the paper as a value of `Settings`."""

from collections.abc import Callable
from typing import assert_never

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from saflex_cli.settings import Settings

_ROUNDING = 64
"""Units of the last place that a gain may lie from 0 and be 0."""

Matrix = Float[Tensor, "batch classes"]
Vector = Float[Tensor, " batch"]


def solve_labels(
    matrix: Matrix,
    log_probs: Matrix,
    upstream: Matrix,
    settings: Settings,
    generator: torch.Generator | None = None,
    *,
    noise: Matrix | None = None,
) -> Matrix:
    """Soft labels y_i = softmax(u_i / τ), u_i = s Π_i + β ỹ_i + γ log p(x_i) + κ G_i.

    Without the last two terms and with s = 1 this is step 4 of Algorithm 1; τ = 0 takes the argmax (Theorem 1; the
    first of equal entries). With γ = τ = 1 and κ = 0 it is the maximiser of ⟨y, Π⟩ − KL(y ‖ prior) / s with
    prior ∝ p(x) exp(β ỹ).

    G comes from the generator, or is the `noise` that was drawn beforehand.
    """
    if not settings.refine_labels:
        return upstream
    score = alignment_scale(matrix, settings) * matrix
    score = score + settings.label_retention * retained_labels(upstream, settings)
    score = score + settings.model_prior * log_probs
    if settings.gumbel_scale:
        score = score + settings.gumbel_scale * (gumbel_noise(matrix, generator) if noise is None else noise)
    if settings.temperature == 0:
        return functional.one_hot(score.argmax(1), score.shape[1]).to(score)
    return (score / settings.temperature).softmax(1)


def solve_weights(
    matrix: Matrix,
    labels: Matrix,
    upstream: Matrix,
    log_probs: Matrix,
    settings: Settings,
    error: Callable[[Matrix], Vector] | None = None,
) -> Vector:
    """Sample weights in [0, 1] by the weight rule (step 5 of Algorithm 1 and its alternatives, E3).

    `error` gives the standard error of Π·y for any labels; needed for `weight_margin`.
    """
    score = weight_scores(matrix, labels, upstream, log_probs, settings)
    if settings.weight_margin and error is not None and not settings.simplex_weights:
        score = score + settings.weight_margin * error(labels if settings.weight_rule == "agreement" else upstream)
    return weights_from(score, settings)


def weight_scores(matrix: Matrix, labels: Matrix, upstream: Matrix, log_probs: Matrix, settings: Settings) -> Vector:
    """What the weight rule tests: a sample with a negative score is rejected."""
    tested = matrix
    if settings.weight_test_of == "retained":
        tested = matrix + settings.label_retention * retained_labels(upstream, settings)
    match settings.weight_rule:
        case "none":
            return torch.zeros_like(matrix[:, 0])
        case "joint":
            return joint_gain(matrix, upstream, log_probs, settings)
        case "agreement":
            return (tested * labels).sum(1)
        case "printed_sum":
            return tested.sum(1)
        case "upstream_agreement" | "relu":
            return (tested * upstream).sum(1)
        case _:
            assert_never(settings.weight_rule)


def weights_from(score: Vector, settings: Settings) -> Vector:
    """Weights in [0, 1] from the scores of a batch."""
    if settings.simplex_weights:
        return functional.one_hot(score.argmax(), len(score)).to(score)
    if settings.weight_rule == "relu":
        # Ren et al. 2018, Eq. 12: rectified; divided by the largest so that weights lie in [0, 1].
        return score.clamp(min=0) / score.max().clamp(min=torch.finfo(score.dtype).tiny)
    return (score >= 0).to(score)


def joint_gain(matrix: Matrix, upstream: Matrix, log_probs: Matrix, settings: Settings) -> Vector:
    """What a sample is worth with its best label: log Σ_k prior_k exp(s Π_k) with prior ∝ p^γ exp(β ỹ).

    It is the maximum over y of s ⟨y, Π⟩ − KL(y ‖ prior), so that the joint optimum over weights and labels keeps a
    sample where it is at least 0.
    """
    prior = settings.label_retention * retained_labels(upstream, settings) + settings.model_prior * log_probs
    gain = (prior + alignment_scale(matrix, settings) * matrix).logsumexp(1) - prior.logsumexp(1)
    return torch.where(gain.abs() < _ROUNDING * torch.finfo(gain.dtype).eps, 0.0, gain)  # no sample hangs on rounding


def alignment_scale(matrix: Matrix, settings: Settings) -> Float[Tensor, ""]:
    """s: the number given, or 1 / rms(Π) over the batch, at most `scale_cap`."""
    if settings.scale != "rms":
        return matrix.new_tensor(settings.scale)
    return 1 / matrix.square().mean().sqrt().clamp(min=1 / settings.scale_cap)


def retained_labels(upstream: Matrix, settings: Settings) -> Matrix:
    """What β multiplies (E13): the upstream label as it is, or one-hot at its largest entry."""
    if settings.retention_of == "soft":
        return upstream
    return functional.one_hot(upstream.argmax(1), upstream.shape[1]).to(upstream)


def gumbel_noise(like: Matrix, generator: torch.Generator | None) -> Matrix:
    """Independent Gumbel(0, 1) noise, −log E with E exponential(1), drawn on the generator's device."""
    device = like.device if generator is None else generator.device
    drawn = torch.empty(like.shape, dtype=like.dtype, device=device).exponential_(generator=generator)
    return -drawn.clamp(min=torch.finfo(like.dtype).tiny).log().to(like.device)
