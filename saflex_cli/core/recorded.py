"""One forward pass, recorded: its logits with their graph, and what the classifier layer got.

The outer gradient of that layer is a closed form of these two. A pass that a training step makes anyway, such as that
of the clean batch beside the augmented one, therefore gives the outer direction for two small matrix products.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from saflex_cli.core.directional import OuterDirection
from saflex_cli.core.heads import recorded_head
from saflex_cli.core.losses import OuterLabels, outer_shares, soft_labels
from saflex_cli.core.outer_path import path_residuals
from saflex_cli.core.outer_samples import FeatureView, HeadFeatures, OuterSamples
from saflex_cli.core.passes import Inputs, checked_logits, precise, traceless_forward, without_autocast


@dataclass(frozen=True)
class RecordedPass:
    """What a forward pass made, as far as the classifier layer is concerned."""

    logits: Float[Tensor, "batch classes"]
    """With the graph of the pass, if it had one."""
    features: Float[Tensor, "batch width"]
    """What the layer got, detached."""
    head: nn.Linear
    """The layer."""


def recorded_pass(model: nn.Module, inputs: Inputs, *, head: nn.Module | str | None = None) -> RecordedPass:
    """`model(inputs)`, once and with everything it does: its running statistics and the random state advance.

    Args:
        model: Returns logits (B, K); called as `model(inputs)`.
        inputs: B samples, handed to the model unchanged.
        head: The classifier layer or its dotted name, where it cannot be found.

    Raises:
        SaflexValueError: if the model's output is no matrix of logits, or no layer is linear in its parameters and
            gives it.
    """
    with recorded_head(model, head) as recorder:
        logits = checked_logits(model(inputs))
    layer, features = recorder.resolve(model, logits)
    return RecordedPass(logits, features, layer)


@torch.no_grad()
def traceless_pass(model: nn.Module, inputs: Inputs, head: nn.Module | str | None) -> RecordedPass:
    """The same without a graph, and without a trace in running statistics."""
    with recorded_head(model, head) as recorder:
        logits = traceless_forward(model, inputs)
    torch.clear_autocast_cache()  # casts made without a graph must not serve the training pass
    layer, features = recorder.resolve(model, logits)
    return RecordedPass(logits, features, layer)


@torch.no_grad()
def recorded_direction(
    passed: RecordedPass,
    labels: OuterLabels,
    *,
    reduction: Literal["mean", "sum"] = "mean",
    balance: bool = False,
    features: HeadFeatures = "raw",
    steps: int = 1,
) -> OuterDirection:
    """The outer direction of the classifier layer, from a pass over the outer samples: −g = (RᵀH/M, mean(R)).

    Worked case: two samples with features 1 and 3, both classes equally likely, labels 0 and 1. R is (½, −½) and
    (−½, ½), so that −g is (−½, ½) for the weights and (0, 0) for the biases.

    Args:
        passed: From `recorded_pass`, over the outer samples.
        labels: Their classes (M,) or soft labels (M, K).
        reduction: As for `saflex_cli.core.outer_direction`; so are the others.
        balance: Every class of the outer samples has the same share of their loss.
        features: What the closed form sees of the features.
        steps: The length of the path along which the gradient's mean is taken.

    Raises:
        SaflexValueError: for labels that do not fit.
    """
    layer, logits, width = passed.head, precise(passed.logits.detach()), precise(passed.features)
    targets = soft_labels(labels, logits, "outer_labels")
    shares = outer_shares(targets) if balance else torch.full_like(targets[:, 0], 1 / len(targets))
    trained = {name for name, parameter in layer.named_parameters() if parameter.requires_grad}
    trained -= set() if features == "raw" else {"bias"}
    view = FeatureView(features, None if features == "raw" else width.mean(0))
    seen = view.of(width)
    with without_autocast(layer):
        residuals = path_residuals(logits, targets, seen, shares, frozenset(trained), steps)  # (M, K): −∂L/∂z
        scaled = residuals * shares[:, None] * len(logits) if balance else residuals
        scaled = scaled / len(logits) if reduction == "mean" else scaled
        tangents = {"weight": scaled.T @ seen, "bias": scaled.sum(0)}
    samples = OuterSamples(view, seen, residuals, shares, frozenset(trained))
    return OuterDirection({name: tangent for name, tangent in tangents.items() if name in trained}, layer, samples)
