"""Slow, obviously correct twins of the contrastive core, in float64: Eq. 12–14 written out in loops."""

import copy
import math

import torch
from torch import Tensor

from saflex_cli.core.passes import preserved_rng, separate_rng
from tests.reference import reference_loss


def reference_similarity(left: Tensor, right: Tensor, scale) -> Tensor:
    """Scale times the cosine of every two rows, by the definition of the cosine; differentiable."""
    cosines = [(a * b).sum() / ((a * a).sum().sqrt() * (b * b).sum().sqrt()) for a in left for b in right]
    return scale * torch.stack(cosines).reshape(len(left), len(right))


def reference_classes(groups: list[int], positives: str) -> list[list[int]]:
    """The pairs of every class: all pairs of a group in the order in which groups appear, or every pair alone."""
    if positives != "grouped":
        return [[pair] for pair in range(len(groups))]
    return [[pair for pair, own in enumerate(groups) if own == group] for group in dict.fromkeys(groups)]


def reference_own(groups: list[int], positives: str) -> Tensor:
    """The label of a pair before refinement, entry by entry."""
    rows = []
    for pair, group in enumerate(groups):
        if positives == "uniform":
            rows.append([(1 / groups.count(group)) if other == group else 0.0 for other in groups])
        else:
            rows.append([float(pair in members) for members in reference_classes(groups, positives)])
    return torch.tensor(rows, dtype=torch.float64)


def reference_merged(similarity: Tensor, groups: list[int], positives: str) -> Tensor:
    """Logits of the classes: log Σ exp over the columns of each, in the order of `reference_classes`."""
    classes = reference_classes(groups, positives)
    merged = [sum(torch.exp(row[j]) for j in members).log() for row in similarity for members in classes]
    return torch.stack(merged).reshape(len(similarity), -1)


def reference_contrastive(
    similarity, groups, *, positives="grouped", labels=None, weights=None, normalise="sum"
) -> Tensor:
    """Mean of the directions' weighted soft cross-entropies, each a double sum; differentiable."""
    total = 0.0
    for way, rows in enumerate((similarity, similarity.T)):
        label = reference_own(groups, positives) if labels is None else labels[way]
        weight = [1.0] * len(groups) if weights is None else weights[way]
        total = total + reference_loss(reference_merged(rows, groups, positives), label, weight, normalise=normalise)
    return total / 2


def reference_diagonal(image_features, text_features, scale: float) -> float:
    """Eq. 13 divided by 2B, in Python numbers: what FLYP minimises."""
    images, texts = image_features.tolist(), text_features.tolist()

    def s(i, j):
        dot = sum(a * b for a, b in zip(images[i], texts[j], strict=True))
        return scale * dot / (math.hypot(*images[i]) * math.hypot(*texts[j]))

    count, total = len(images), 0.0
    for i in range(count):
        total -= math.log(math.exp(s(i, i)) / sum(math.exp(s(i, j)) for j in range(count)))
        total -= math.log(math.exp(s(i, i)) / sum(math.exp(s(j, i)) for j in range(count)))
    return total / (2 * count)


def reference_pair_alignment(
    problem,
    *,
    positives="grouped",
    of="log_prob",
    sign=1,
    reduction="mean",
    only=None,
    shares=None,
    preconditioner=None,
) -> tuple[Tensor, Tensor]:
    """Π of the images and of the texts, over all trainable parameters or those whose names are in `only`.

    `shares` are weights of the outer pairs, `preconditioner` factors of g by parameter name.

    Obviously correct: Π_ik is by definition the dot product of −g with the gradient of f_k of sample i. Both are taken
    in reverse mode, one pair (i, k) at a time, through the loops above.
    """
    model = copy.deepcopy(problem.model)
    named = {n: p for n, p in model.named_parameters() if p.requires_grad and (only is None or n in only)}
    parameters = list(named.values())
    with separate_rng(model):
        outer = similarity_of(model, problem.outer_images, problem.outer_texts)
    outer_groups, groups = problem.outer_groups.tolist(), problem.groups.tolist()
    weights = None if shares is None else (shares, shares)
    loss = reference_contrastive(outer, outer_groups, positives=positives, weights=weights)
    loss = loss * len(outer_groups) if reduction == "sum" else loss
    outer_gradient = gradient(loss, parameters)
    if preconditioner is not None:
        outer_gradient = [preconditioner[name] * g for name, g in zip(named, outer_gradient, strict=True)]
    with preserved_rng(model):
        similarity = similarity_of(model, problem.images, problem.texts)
    found = []
    for rows in (similarity, similarity.T):
        logits = reference_merged(rows, groups, positives)
        f = {"logit": logits, "prob": logits.softmax(1), "log_prob": logits.softmax(1).log()}[of]
        matrix = torch.zeros(f.shape, dtype=torch.float64)
        for i in range(f.shape[0]):
            for k in range(f.shape[1]):
                pairs = zip(outer_gradient, gradient(f[i, k], parameters), strict=True)
                matrix[i, k] = sum((-sign * a * b).sum() for a, b in pairs)
        found.append(matrix)
    return found[0], found[1]


def similarity_of(model, images, texts) -> Tensor:
    """Of a model's encoded pairs, by the definition."""
    encoded = model(images, texts)
    left, right = encoded.image_features, encoded.text_features
    left = left if encoded.image_projection is None else left @ encoded.image_projection
    right = right if encoded.text_projection is None else right @ encoded.text_projection
    return reference_similarity(left, right, encoded.logit_scale.exp())


def gradient(scalar: Tensor, parameters: list[Tensor]) -> tuple[Tensor, ...]:
    if not scalar.requires_grad:
        return tuple(torch.zeros_like(parameter) for parameter in parameters)
    return torch.autograd.grad(scalar, parameters, retain_graph=True, allow_unused=True, materialize_grads=True)
