"""Weights between zero-shot and fine-tuned (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models")."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from saflex_cli.core.passes import evaluation_mode
from saflex_cli.errors import SaflexValueError
from saflex_cli.models.clip.towers import ClipTowers
from saflex_cli.models.clip.zero_shot import zero_shot_head

ALPHAS = tuple(tenth / 10 for tenth in range(11))
"""The published sample grid (wise-ft, README at 58b7a4b)."""

State = Mapping[str, Tensor]
Batches = Iterable[tuple[Float[Tensor, "_ 3 _ _"] | UInt8[Tensor, "_ 3 _ _"], Int[Tensor, " _"]]]
"""Images and their classes."""
Metric = Callable[[Float[Tensor, "n classes"], Int[Tensor, " n"]], float]
"""Of logits and classes, on the CPU; the larger the better."""


@dataclass(frozen=True)
class Ensemble:
    """The chosen share of the fine-tuned weights."""

    alpha: float
    scores: dict[float, float]
    """The metric for every α that was tried."""
    state: dict[str, Tensor]
    """The weights at the chosen α."""


def interpolate(zero_shot: State, fine_tuned: State, alpha: float) -> dict[str, Tensor]:
    """(1 − α) · zero-shot + α · fine-tuned for every entry; copies of the one or the other at 0 and 1, bit by bit.

    Entries of whole numbers, such as counters, are the fine-tuned ones, except at 0.

    Raises:
        SaflexValueError: if α is not in [0, 1], or entries differ in name, shape or type.
    """
    if not 0 <= alpha <= 1:
        raise SaflexValueError(f"alpha must be in [0, 1], not {alpha}")
    kinds = [{name: (entry.shape, entry.dtype) for name, entry in state.items()} for state in (zero_shot, fine_tuned)]
    if kinds[0] != kinds[1]:
        raise SaflexValueError("weights of two architectures cannot be averaged: their entries differ")
    if alpha in {0, 1}:
        return _copied(fine_tuned if alpha else zero_shot)
    return {
        name: torch.lerp(start, fine_tuned[name], alpha) if start.is_floating_point() else fine_tuned[name].clone()
        for name, start in zero_shot.items()
    }


def choose_alpha(
    towers: ClipTowers,
    zero_shot: State,
    fine_tuned: State,
    *,
    captions: Sequence[Sequence[str]],
    batches: Callable[[], Batches],
    metric: Metric,
    alphas: Sequence[float] = ALPHAS,
) -> Ensemble:
    """Score every α on validation data, with the head rebuilt from the interpolated text tower, and take the best.

    Of equal scores the smaller α wins: what costs nothing here is nearer to the weights that were trained on more.

    Args:
        towers: Of the architecture; left with the weights at the chosen α.
        zero_shot: Its state dict before fine-tuning.
        fine_tuned: Afterwards.
        captions: As for `zero_shot_head`.
        batches: Gives the validation images and their classes, anew at every call.
        metric: The larger the better.
        alphas: What is tried.

    Raises:
        SaflexValueError: as for `interpolate`, or if nothing is to be tried.
    """
    if not alphas:
        raise SaflexValueError("alphas: there are none; give at least one")
    # what `towers.state_dict()` gave would change with the towers
    zero_shot, fine_tuned = (_copied(state) for state in (zero_shot, fine_tuned))
    scores = {}
    for alpha in sorted(alphas):
        towers.load_state_dict(interpolate(zero_shot, fine_tuned, alpha))
        scores[alpha] = metric(*zero_shot_logits(towers, captions, batches()))
    best = max(scores, key=lambda alpha: scores[alpha])
    state = interpolate(zero_shot, fine_tuned, best)
    towers.load_state_dict(state)
    return Ensemble(best, scores, state)


@torch.no_grad()
def zero_shot_logits(
    towers: ClipTowers, captions: Sequence[Sequence[str]], batches: Batches
) -> tuple[Float[Tensor, "n classes"], Int[Tensor, " n"]]:
    """Logits and classes of all images, on the CPU, in evaluation mode."""
    head = zero_shot_head(towers, captions)
    with evaluation_mode(towers):
        found = [(towers.logits(images, head).cpu(), labels.cpu()) for images, labels in batches]
    logits, labels = zip(*found, strict=True)
    return torch.cat(logits), torch.cat(labels)


def _copied(state: State) -> dict[str, Tensor]:
    return {name: entry.clone() for name, entry in state.items()}
