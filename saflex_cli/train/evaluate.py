"""Predictions and metrics on one split."""

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor, nn
from torch.nn import functional

from saflex_cli.core.passes import evaluation_mode
from saflex_cli.data.splits import Split

_BATCH = 1024
"""Samples of a forward pass. Of a model with attention between rows, predictions depend on it."""


@torch.no_grad()
def predict(model: nn.Module, inputs: Shaped[Tensor, "n ..."]) -> Float[Tensor, "n classes"]:
    """Log-probabilities in evaluation mode; modules get their own modes back."""
    with evaluation_mode(model):
        logits = torch.cat([model(batch) for batch in inputs.split(_BATCH)])
    return logits.float().log_softmax(1)


def evaluate(model: nn.Module, split: Split) -> dict[str, float]:
    """`accuracy` and `auroc` as fractions, `loss` as mean cross-entropy in nats."""
    return metrics(predict(model, split.inputs).cpu(), split.labels.cpu())


def metrics(log_probs: Float[Tensor, "n classes"], labels: Int[Tensor, " n"]) -> dict[str, float]:
    """The metrics of `evaluate` from predictions."""
    return {
        "accuracy": (log_probs.argmax(1) == labels).double().mean().item(),
        "auroc": macro_auroc(log_probs.exp().double().numpy(), labels.numpy()),
        "loss": functional.nll_loss(log_probs, labels).item(),
    }


def macro_auroc(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Area under the ROC curve, one class against the rest, averaged over the classes with both kinds of samples.

    Where every class is present this equals scikit-learn's `roc_auc_score(…, multi_class="ovr")`; for two classes the
    two areas are equal. A split with a single class cannot be ranked: 0.5.
    """
    positive = labels[:, None] == np.arange(probabilities.shape[1])
    count = positive.sum(0)
    usable = (count > 0) & (count < len(labels))
    if not usable.any():
        return 0.5
    ranks = rankdata(probabilities, axis=0)  # the Mann–Whitney statistic, ties at their mean rank
    statistic = (ranks * positive).sum(0) - count * (count + 1) / 2
    pairs = count * (len(labels) - count)
    return float(np.mean(statistic[usable] / pairs[usable]))
