"""Predictions and metrics on one split."""

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from scipy.stats import rankdata
from torch import Tensor, nn
from torch.nn import functional

from saflex_cli.core.passes import evaluation_mode
from saflex_cli.data.image_files import ImageFiles
from saflex_cli.data.splits import Split
from saflex_cli.numpy_arrays import NDArray

METRICS = ("accuracy", "auroc", "macro_f1", "loss")
"""What `evaluate` says of a split."""
EVALUATION_BATCH = 1024
"""Samples of a forward pass. Of a model with attention between rows, predictions depend on it."""


@torch.no_grad()
def predict(model: nn.Module, inputs: Shaped[Tensor, "n ..."] | ImageFiles) -> Float[Tensor, "n classes"]:
    """Log-probabilities in evaluation mode; modules get their own modes back."""
    with evaluation_mode(model):
        logits = torch.cat([model(batch) for batch in inputs.split(EVALUATION_BATCH)])
    return logits.float().log_softmax(1)


def evaluate(model: nn.Module, split: Split) -> dict[str, float]:
    """`accuracy`, `auroc` and `macro_f1` as fractions, `loss` as mean cross-entropy in nats."""
    return metrics(predict(model, split.samples).cpu(), split.labels.cpu())


def metrics(log_probs: Float[Tensor, "n classes"], labels: Int[Tensor, " n"]) -> dict[str, float]:
    """The metrics of `evaluate` from predictions."""
    return metrics_of_seeds(log_probs[None], labels[None])[0]


def metrics_of_seeds(
    log_probs: Float[Tensor, "seeds n classes"], labels: Int[Tensor, "seeds n"]
) -> list[dict[str, float]]:
    """The metrics of `evaluate` for each of several predictions of as many samples."""
    predicted, classes = log_probs.argmax(2), log_probs.shape[2]
    accuracies = (predicted == labels).double().mean(1).tolist()
    aurocs = macro_aurocs(log_probs.exp().double().numpy(), labels.numpy())
    f1s = [macro_f1(*pair, classes) for pair in zip(predicted, labels, strict=True)]
    losses = [functional.nll_loss(*pair).item() for pair in zip(log_probs, labels, strict=True)]
    return [dict(zip(METRICS, values, strict=True)) for values in zip(accuracies, aurocs, f1s, losses, strict=True)]


def macro_f1(predicted: Int[Tensor, " n"], labels: Int[Tensor, " n"], classes: int) -> float:
    """F1 averaged over the classes that `labels` holds, whatever else is predicted: the rule of WILDS.

    F1 of a class is twice its hits, by how often it is predicted and how often it is true. Equal to scikit-learn's
    `f1_score(…, average="macro", labels=unique(labels), zero_division=0)`; a class without samples would count as 0 in
    scikit-learn's own macro average, where it is predicted at all.

    Worked case: labels 0 0 1, predicted 0 2 1. F1 is 2/3 for class 0 and 1 for class 1; class 2 has no samples: 5/6.
    """
    hits, made, true = (found.bincount(minlength=classes) for found in (labels[predicted == labels], predicted, labels))
    present = true > 0
    return float((2 * hits[present] / (made + true)[present].double()).mean())


def macro_auroc(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Area under the ROC curve, one class against the rest, averaged over the classes with both kinds of samples.

    Where every class is present this equals scikit-learn's `roc_auc_score(…, multi_class="ovr")`; for two classes the
    two areas are equal. A split with a single class cannot be ranked: 0.5.
    """
    return macro_aurocs(probabilities[None], labels[None])[0]


def macro_aurocs(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> list[float]:
    """`macro_auroc` of each of several predictions: probabilities (S, N, K) and labels (S, N)."""
    samples, classes = probabilities.shape[1:]
    positive = labels[:, :, None] == np.arange(classes)
    count = positive.sum(1)
    usable = (count > 0) & (count < samples)
    ranks = rankdata(probabilities, axis=1)  # the Mann–Whitney statistic, ties at their mean rank
    statistic = (ranks * positive).sum(1) - count * (count + 1) / 2
    pairs = count * (samples - count)
    return [
        float(np.mean(own[found] / of[found])) if found.any() else 0.5
        for own, of, found in zip(statistic, pairs, usable, strict=True)
    ]
