"""Metrics equal scikit-learn's."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from torch import nn

from saflex_cli.data.splits import Split
from saflex_cli.train.evaluate import evaluate, macro_auroc, metrics, predict


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("ties", [False, True])
def test_metrics_equal_scikit_learn(classes: int, ties: bool) -> None:
    generator = torch.Generator().manual_seed(classes)
    logits = torch.randn(200, classes, generator=generator, dtype=torch.float64)
    logits = logits.round() if ties else logits
    labels = torch.randint(classes, (200,), generator=generator)
    log_probs = logits.log_softmax(1)
    values, probabilities = metrics(log_probs, labels), log_probs.exp().numpy()
    score = probabilities[:, 1] if classes == 2 else probabilities
    assert values["accuracy"] == accuracy_score(labels, probabilities.argmax(1))
    assert values["auroc"] == pytest.approx(roc_auc_score(labels, score, multi_class="ovr"), abs=1e-12)
    assert values["loss"] == pytest.approx(log_loss(labels, probabilities, labels=range(classes)), abs=1e-12)


def test_auroc_by_hand() -> None:
    """Class 1 against class 0: scores .1 .4 for zeros, .35 .8 for ones; 3 of 4 pairs are in order: 0.75."""
    positive = np.array([0.1, 0.4, 0.35, 0.8])
    probabilities = np.stack([1 - positive, positive], axis=1)
    assert macro_auroc(probabilities, np.array([0, 0, 1, 1])) == 0.75


def test_an_absent_class_is_left_out_of_the_mean() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1]])
    assert macro_auroc(probabilities, np.array([0, 1, 0])) == 1.0
    assert macro_auroc(probabilities, np.array([1, 1, 1])) == 0.5


def test_evaluation_leaves_every_mode_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    split = Split(torch.randn(5, 3), torch.tensor([0, 1, 0, 1, 0]))
    assert evaluate(model, split) == evaluate(model, split)
    assert [module.training for module in model] == [True, False, True, True]
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_large_splits_are_predicted_in_batches() -> None:
    model = nn.Linear(2, 3)
    inputs = torch.randn(3000, 2)
    torch.testing.assert_close(predict(model, inputs), model(inputs).detach().log_softmax(1))
