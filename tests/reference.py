"""Slow, obviously correct twins of the core, in float64. Each docstring says why its function is obviously correct.

They are written from the formulas in `saflex_cli/settings.py` and share with the core only `separate_rng` and
`preserved_rng`, which fix the dropout masks of the two forward passes.
"""

import copy
import math
import statistics
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from saflex_cli.core.passes import preserved_rng, separate_rng
from saflex_cli.settings import Settings


def reference_alignment(
    model,
    inputs,
    outer_inputs,
    outer_labels,
    *,
    of="log_prob",
    sign=1,
    mode="train",
    reduction="mean",
    balance=False,
    preconditioner=None,
):
    """Π over all trainable parameters; `preconditioner` gives a factor for every entry of g, by parameter name.

    Obviously correct: Π_ik is by definition the dot product of −g with the gradient of f_k(x_i). Both are taken in
    reverse mode, one pair (i, k) at a time; no forward mode, no closed form. A copy of the model makes it traceless.
    """
    copied = _copy_in_mode(model, mode)
    parameters = {name: parameter for name, parameter in copied.named_parameters() if parameter.requires_grad}
    return _double_loop(
        copied, parameters, inputs, outer_inputs, outer_labels, of, sign, reduction, balance, preconditioner
    )


def reference_head_alignment(
    model,
    head_name,
    inputs,
    outer_inputs,
    outer_labels,
    *,
    of="log_prob",
    sign=1,
    mode="train",
    reduction="mean",
    balance=False,
):
    """Π over the parameters of the layer called `head_name`.

    Obviously correct: the same double loop, with gradients asked for that layer's parameters alone.
    """
    copied = _copy_in_mode(model, mode)
    parameters = {n: p for n, p in copied.get_submodule(head_name).named_parameters() if p.requires_grad}
    return _double_loop(copied, parameters, inputs, outer_inputs, outer_labels, of, sign, reduction, balance)


def reference_head_terms(model, head_name, inputs, outer_inputs, outer_labels, *, view="raw", mode="train", steps=1):
    """What each outer sample j adds to Π_ik of the layer `head_name` at equal shares: terms (B, M, K).

    Obviously correct: (⟨h_i, h_j⟩ + 1) Σ_l (δ_kl − p_il) (y_jl − p_jl), entry by entry, from features that a hook
    wrote down; centred ones without the 1 of the bias. With more than one step, y_j − p_j is their mean over them.
    """
    copied = _copy_in_mode(model, mode)
    seen = []
    copied.get_submodule(head_name).register_forward_hook(lambda _layer, given, _out: seen.append(given[0].detach()))
    with separate_rng(copied):
        logits = copied(outer_inputs).detach()
    with preserved_rng(copied):
        own = copied(inputs).softmax(1).detach()
    h_outer, h_own = seen
    if view != "raw":
        centre = sum(h_outer) / len(h_outer)
        h_outer, h_own = [h - centre for h in h_outer], [h - centre for h in h_own]
    if view == "correlation":
        h_outer, h_own = ([h / math.sqrt(sum(h * h)) for h in features] for features in (h_outer, h_own))
    rows = rows_of(outer_labels, logits.shape[1])
    left = reference_path_residuals(torch.stack(list(h_outer)), logits, rows, steps, with_bias=view == "raw")
    terms = torch.zeros(len(own), len(rows), rows.shape[1], dtype=torch.float64)
    for i in range(len(own)):
        for j in range(len(rows)):
            alike = sum(h_own[i] * h_outer[j]) + (1 if view == "raw" else 0)
            for k in range(rows.shape[1]):
                terms[i, j, k] = alike * sum((float(k == c) - own[i, c]) * left[j, c] for c in range(rows.shape[1]))
    return terms


def reference_path_residuals(features: Tensor, logits: Tensor, rows: Tensor, steps: int, *, with_bias: bool) -> Tensor:
    """y_j − p_j averaged over a path of gradient steps on the outer loss.

    Obviously correct: torch.optim.SGD on what is added to the layer, with the step of Böhning's bound.
    """
    columns = [features, torch.ones_like(features[:, :1])] if with_bias else [features]
    seen = torch.cat(columns, 1)
    added = torch.zeros(rows.shape[1], seen.shape[1], dtype=features.dtype, requires_grad=True)
    largest = torch.linalg.eigvalsh(seen.T @ seen / len(seen))[-1]
    optimizer = torch.optim.SGD([added], lr=float(2 / largest))
    residuals = []
    for _ in range(steps):
        moved = logits + seen @ added.T
        residuals.append(rows - moved.softmax(1).detach())
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(moved, rows).backward()
        optimizer.step()
    return torch.stack(residuals).mean(0)


def reference_error(terms: Tensor, labels: Tensor) -> list[float]:
    """Standard error of Π_i·y_i at equal shares: of a mean over the outer samples, by `statistics`."""
    errors = []
    for i in range(len(terms)):
        values = [float(sum(terms[i, j] * labels[i])) for j in range(terms.shape[1])]
        errors.append(statistics.stdev(values) / math.sqrt(len(values)))
    return errors


def reference_labels(matrix: Tensor, log_probs: Tensor, upstream: Tensor, settings: Settings, noise: Tensor) -> Tensor:
    """y_i = softmax(u_i / τ) with u_i = s Π_i + β ỹ_i + γ log p(x_i) + κ G_i, for given Gumbel noise G.

    Obviously correct: the formula, entry by entry, in Python numbers.
    """
    batch, classes = matrix.shape
    if not settings.refine_labels:
        return upstream.double()
    rows = []
    for i in range(batch):
        retained = _retained(upstream[i].tolist(), settings)
        score = []
        for k in range(classes):
            u_ik = _scale(matrix, settings) * matrix[i, k].item()
            u_ik += settings.label_retention * retained[k]
            u_ik += settings.model_prior * log_probs[i, k].item()
            u_ik += settings.gumbel_scale * noise[i, k].item()
            score.append(u_ik)
        rows.append(_softmax(score, settings.temperature))
    return torch.tensor(rows, dtype=torch.float64)


def reference_weights(
    matrix: Tensor,
    labels: Tensor,
    upstream: Tensor,
    settings: Settings,
    log_probs: Tensor,
    terms: Tensor | None = None,
) -> Tensor:
    """w_i by the weight rule of the settings, before normalisation; `terms` for a `weight_margin`.

    Obviously correct: one sample at a time, in Python numbers, one branch per rule of the settings' docstring.
    """
    batch, classes = matrix.shape
    scores = []
    for i in range(batch):
        tested = matrix[i].tolist()
        if settings.weight_test_of == "retained":
            retained = _retained(upstream[i].tolist(), settings)
            tested = [tested[k] + settings.label_retention * retained[k] for k in range(classes)]
        with_label = sum(tested[k] * labels[i, k].item() for k in range(classes))
        with_upstream = sum(tested[k] * upstream[i, k].item() for k in range(classes))
        scores.append(
            {
                "agreement": with_label,
                "printed_sum": sum(tested),
                "upstream_agreement": with_upstream,
                "relu": with_upstream,
                "joint": _joint_gain(matrix, i, upstream, log_probs, settings),
                "none": 0.0,
            }[settings.weight_rule]
        )
    if settings.weight_margin:
        errors = reference_error(terms, labels if settings.weight_rule == "agreement" else upstream)
        scores = [score + settings.weight_margin * error for score, error in zip(scores, errors, strict=True)]
    if settings.simplex_weights:
        best = max(range(batch), key=lambda i: scores[i])
        weights = [1.0 if i == best else 0.0 for i in range(batch)]
    elif settings.weight_rule == "relu":
        largest = max(scores)
        weights = [max(0.0, score) / largest if largest > 0 else 0.0 for score in scores]
    else:
        weights = [1.0 if score >= 0 else 0.0 for score in scores]
    return torch.tensor(weights, dtype=torch.float64)


def reference_loss(logits: Tensor, labels: Tensor, weights: Iterable[float], *, normalise: str = "sum") -> Tensor:
    """−Σ_i w_i Σ_k y_ik log p_k(x_i), divided by Σ_i w_i (`sum`) or the batch size (`batch`); differentiable.

    Obviously correct: the double sum written out, with p_k = exp(z_k) / Σ_j exp(z_j) as in the definition.
    """
    weights = [float(weight) for weight in weights]
    total = torch.zeros((), dtype=torch.float64)
    for i, weight in enumerate(weights):
        partition = sum(torch.exp(z) for z in logits[i])
        for k in range(logits.shape[1]):
            total = total - weight * labels[i, k] * torch.log(torch.exp(logits[i, k]) / partition)
    divisor = sum(weights) if normalise == "sum" else len(weights)
    return total / divisor if divisor > 0 else 0.0 * total


def rows_of(labels: Tensor, classes: int) -> Tensor:
    """Class numbers as one-hot rows; soft labels as they are."""
    if labels.ndim == 2:
        return labels.double()
    return torch.tensor([[float(k == label) for k in range(classes)] for label in labels.tolist()], dtype=torch.float64)


def _double_loop(
    model, parameters, inputs, outer_inputs, outer_labels, of, sign, reduction, balance, preconditioner=None
):
    """One gradient for the outer loss, and one for every pair (i, k)."""
    with separate_rng(model):
        outer_logits = model(outer_inputs)
    outer_rows = rows_of(outer_labels, outer_logits.shape[1])
    normalise = "sum" if reduction == "mean" else "batch"
    weights = [1.0] * len(outer_rows)
    if balance:
        classes = [row.tolist().index(max(row)) for row in outer_rows]
        weights = [len(classes) / (len(set(classes)) * classes.count(own)) for own in classes]
    outer_loss = reference_loss(outer_logits, outer_rows, weights, normalise=normalise)
    if reduction == "sum":
        outer_loss = outer_loss * len(outer_rows)
    outer_gradient = _gradient(outer_loss, parameters)
    if preconditioner is not None:
        outer_gradient = {name: preconditioner[name] * g for name, g in outer_gradient.items()}
    with preserved_rng(model):
        logits = model(inputs)
    f = {"logit": logits, "prob": logits.softmax(1), "log_prob": logits.softmax(1).log()}[of]
    matrix = torch.zeros(f.shape, dtype=torch.float64)
    for i in range(f.shape[0]):
        for k in range(f.shape[1]):
            gradient = _gradient(f[i, k], parameters)
            matrix[i, k] = sum((-sign * outer_gradient[name] * gradient[name]).sum() for name in parameters)
    return matrix


def _gradient(scalar: Tensor, parameters: dict[str, Tensor]) -> dict[str, Tensor]:
    values = list(parameters.values())
    gradients = torch.autograd.grad(scalar, values, retain_graph=True, allow_unused=True, materialize_grads=True)
    return dict(zip(parameters, gradients, strict=True))


def _copy_in_mode(model: nn.Module, mode: str) -> nn.Module:
    copied = copy.deepcopy(model)
    return copied.eval() if mode == "eval" else copied


def _scale(matrix: Tensor, settings: Settings) -> float:
    if settings.scale != "rms":
        return settings.scale
    entries = matrix.flatten().tolist()
    rms = math.sqrt(sum(entry**2 for entry in entries) / len(entries))
    return settings.scale_cap if rms == 0 else min(1 / rms, settings.scale_cap)


def _joint_gain(matrix: Tensor, i: int, upstream: Tensor, log_probs: Tensor, settings: Settings) -> float:
    retained = _retained(upstream[i].tolist(), settings)
    classes = range(matrix.shape[1])
    prior = [settings.label_retention * retained[k] + settings.model_prior * log_probs[i, k].item() for k in classes]
    prior = _softmax(prior, 1.0)
    gain = math.log(sum(prior[k] * math.exp(_scale(matrix, settings) * matrix[i, k].item()) for k in classes))
    return gain if abs(gain) >= 64 * torch.finfo(torch.float64).eps else 0.0


def _retained(upstream: list[float], settings: Settings) -> list[float]:
    if settings.retention_of == "soft":
        return upstream
    largest = upstream.index(max(upstream))
    return [float(k == largest) for k in range(len(upstream))]


def _softmax(score: list[float], temperature: float) -> list[float]:
    if temperature == 0:
        largest = score.index(max(score))
        return [float(k == largest) for k in range(len(score))]
    highest = max(score)
    powers = [math.exp((entry - highest) / temperature) for entry in score]
    return [power / sum(powers) for power in powers]
