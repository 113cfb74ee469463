"""Predictions and metrics on one split."""

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from scipy.stats import rankdata
from torch import Tensor, nn
from torch.nn import functional

from saflex_cli.core.passes import evaluation_mode
from saflex_cli.data.splits import Split
from saflex_cli.numpy_arrays import NDArray

EVALUATION_BATCH = 1024
"""Samples of a forward pass. Of a model with attention between rows, predictions depend on it."""


@torch.no_grad()
def predict(model: nn.Module, inputs: Shaped[Tensor, "n ..."]) -> Float[Tensor, "n classes"]:
    """Log-probabilities in evaluation mode; modules get their own modes back."""
    with evaluation_mode(model):
        logits = torch.cat([model(batch) for batch in inputs.split(EVALUATION_BATCH)])
    return logits.float().log_softmax(1)


def evaluate(model: nn.Module, split: Split) -> dict[str, float]:
    """`accuracy` and `auroc` as fractions, `loss` as mean cross-entropy in nats."""
    return metrics(predict(model, split.inputs).cpu(), split.labels.cpu())


def metrics(log_probs: Float[Tensor, "n classes"], labels: Int[Tensor, " n"]) -> dict[str, float]:
    """The metrics of `evaluate` from predictions."""
    return metrics_of_seeds(log_probs[None], labels[None])[0]


def metrics_of_seeds(
    log_probs: Float[Tensor, "seeds n classes"], labels: Int[Tensor, "seeds n"]
) -> list[dict[str, float]]:
    """The metrics of `evaluate` for each of several predictions of as many samples."""
    accuracies = (log_probs.argmax(2) == labels).double().mean(1).tolist()
    aurocs = macro_aurocs(log_probs.exp().double().numpy(), labels.numpy())
    losses = [functional.nll_loss(*pair).item() for pair in zip(log_probs, labels, strict=True)]
    return [
        {"accuracy": accuracy, "auroc": auroc, "loss": loss}
        for accuracy, auroc, loss in zip(accuracies, aurocs, losses, strict=True)
    ]


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
