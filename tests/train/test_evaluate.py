"""Metrics equal scikit-learn's."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score
from torch import nn

from saflex_cli.data.splits import Split
from saflex_cli.train.evaluate import METRICS, evaluate, macro_auroc, macro_f1, metrics, metrics_of_seeds, predict


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
    assert values["macro_f1"] == pytest.approx(f1_score(labels, probabilities.argmax(1), average="macro"), abs=1e-12)
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


def slow_macro_f1(predicted: list[int], labels: list[int]) -> float:
    """Class by class, with precision and recall written out."""
    scores = []
    for k in sorted(set(labels)):
        hits = sum(1 for p, y in zip(predicted, labels, strict=True) if p == y == k)
        precision = hits / predicted.count(k) if k in predicted else 0.0
        recall = hits / labels.count(k)
        scores.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    return sum(scores) / len(scores)


@given(data=st.data(), classes=st.integers(2, 8), n=st.integers(1, 40))
def test_macro_f1_equals_its_twin_and_scikit_learn_over_the_classes_present(
    data: st.DataObject, classes: int, n: int
) -> None:
    labels, predicted = (data.draw(st.lists(st.integers(0, classes - 1), min_size=n, max_size=n)) for _ in range(2))
    value = macro_f1(torch.tensor(predicted), torch.tensor(labels), classes)
    assert value == pytest.approx(slow_macro_f1(predicted, labels), abs=1e-12)
    wilds_rule = f1_score(labels, predicted, average="macro", labels=np.unique(labels), zero_division=0)
    assert value == pytest.approx(wilds_rule, abs=1e-12)


def test_macro_f1_by_hand() -> None:
    """Labels 0 0 1, predicted 0 2 1: 2/3 and 1; class 2 is predicted, but has no samples, and is left out: 5/6."""
    assert macro_f1(torch.tensor([0, 2, 1]), torch.tensor([0, 0, 1]), 3) == pytest.approx(5 / 6)


def test_seeds_are_judged_each_by_itself() -> None:
    generator = torch.Generator().manual_seed(0)
    log_probs = torch.randn(3, 20, 4, generator=generator).log_softmax(2)
    labels = torch.randint(4, (3, 20), generator=generator)
    found = metrics_of_seeds(log_probs, labels)
    assert found == [metrics(own, true) for own, true in zip(log_probs, labels, strict=True)]
    assert all(tuple(values) == METRICS for values in found)


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
