"""Cross-entropy with soft labels and sample weights (Eq. 7), and the conversion of labels."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from saflex_cli.errors import SaflexValueError

Labels = Int[Tensor, " batch"] | Float[Tensor, "batch classes"]
OuterLabels = Int[Tensor, " outer"] | Float[Tensor, "outer classes"]


def soft_labels(
    labels: Labels, like: Float[Tensor, "batch classes"], name: str = "labels"
) -> Float[Tensor, "batch classes"]:
    """Class numbers (B,) or probability rows (B, K) as rows of the same shape and type as the logits `like`.

    Values are checked on the CPU only: on an accelerator the check would wait for the device.

    Raises:
        SaflexValueError: if the shape does not fit, a class is outside 0…K−1, or a row is not a probability vector.
    """
    batch, classes = like.shape
    if batch == 0:
        raise SaflexValueError(f"{name}: the batch is empty")
    if labels.ndim == 1 and not labels.is_floating_point():
        if labels.shape[0] != batch:
            raise SaflexValueError(f"{name} has {labels.shape[0]} entries for {batch} samples")
        if labels.device.type == "cpu" and not within(labels, 0.0, classes - 1.0):
            bad = labels[(labels < 0) | (labels >= classes)][0].item()
            raise SaflexValueError(f"{name} contains class {bad}; the model has classes 0…{classes - 1}")
        return functional.one_hot(labels.long(), classes).to(like)
    if labels.shape != like.shape or not labels.is_floating_point():
        raise SaflexValueError(
            f"{name} must be integers ({batch},) or soft labels ({batch}, {classes}), "
            f"not {tuple(labels.shape)} {labels.dtype}"
        )
    if labels.device.type == "cpu" and not (float(labels.min()) >= 0 and within(labels.sum(1), 0.99, 1.01)):
        raise SaflexValueError(f"{name}: every row must be a probability vector (entries ≥ 0, sum 1)")
    return labels.detach().to(like)


def within(values: Tensor, low: float, high: float) -> bool:
    """Whether all values lie in [low, high], and none is NaN: one pass over them, as every step checks its labels."""
    if not values.numel():
        return True
    least, most = values.aminmax()
    return float(least) >= low and float(most) <= high


def outer_shares(labels: Float[Tensor, "outer classes"]) -> Float[Tensor, " outer"]:
    """Shares of the outer samples: 1 in all, the same for every class that is there (of a soft label, its largest)."""
    classes = labels.argmax(1)
    counts = torch.bincount(classes, minlength=labels.shape[1])
    return (1 / (counts[classes] * (counts > 0).sum())).to(labels)


def soft_cross_entropy(
    logits: Float[Tensor, "batch classes"],
    labels: Float[Tensor, "batch classes"],
    sample_weights: Float[Tensor, " batch"] | None = None,
    *,
    normalise: Literal["sum", "batch"] = "sum",
) -> Float[Tensor, ""]:
    """Weighted soft cross-entropy, −Σ_i w_i Σ_k y_ik log p_k(x_i) / N (Eq. 7), in nats.

    N is Σ_i w_i (`sum`, Algorithm 1's renormalisation) or the batch size (`batch`). Where all weights are zero the
    loss is 0 with zero gradient: the term is dropped, not 0/0.
    """
    losses = -(labels * functional.log_softmax(logits, dim=1)).sum(1)
    if sample_weights is None:
        return losses.mean()
    total = (sample_weights * losses).sum()
    if normalise == "batch":
        return total / len(losses)
    weight = sample_weights.sum()
    return total / torch.where(weight > 0, weight, 1.0)
