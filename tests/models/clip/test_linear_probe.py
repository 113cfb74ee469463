"""The linear probe, and the classifier that fine-tuning starts from."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional
from torch.testing import assert_close

from saflex_cli.core import alignment
from saflex_cli.errors import SaflexValueError
from saflex_cli.models.clip.classifier import ClipClassifier
from saflex_cli.models.clip.linear_probe import CS, fit_linear_probe
from saflex_cli.models.clip.zero_shot import zero_shot_head
from tests.models.clip.tiny import CAPTIONS, pictures, towers


def blobs(classes, count=60, seed=0):
    """Unit vectors around one direction per class."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    rows = torch.eye(6)[labels] + 0.5 * torch.randn(count, 6, generator=generator)
    return functional.normalize(rows, dim=1), labels


def likelihood(logits, labels):
    return -functional.cross_entropy(logits, labels).item()


@pytest.mark.parametrize("classes", [2, 4])
def test_equals_scikit_learns_own_best_fit(classes):
    train, val = blobs(classes), blobs(classes, seed=1)
    found = fit_linear_probe(train, val, classes=classes, metric=likelihood)
    scores = {}
    for c in CS:
        model = LogisticRegression(C=c, max_iter=2000).fit(train[0].double().numpy(), train[1].numpy())
        log_probs = torch.from_numpy(model.predict_log_proba(val[0].double().numpy()))
        scores[c] = -functional.nll_loss(log_probs, val[1]).item()
    assert found.c == max(CS, key=lambda c: scores[c])
    assert found.scores == pytest.approx(scores, abs=1e-2)  # lbfgs stops where its gradient is 1e-4
    best = LogisticRegression(C=found.c, max_iter=2000).fit(train[0].double().numpy(), train[1].numpy())
    probabilities = torch.from_numpy(best.predict_proba(val[0].double().numpy())).float()
    assert_close(found.logits(val[0]).softmax(1), probabilities, atol=2e-3, rtol=0)
    assert found.weight.dtype == torch.float32
    assert found.unfinished == ()
    assert min(CS) == pytest.approx(0.1)
    assert max(CS) == pytest.approx(100)


def test_of_equal_scores_the_smaller_c_wins_and_unfinished_fits_are_named():
    found = fit_linear_probe(
        blobs(3), blobs(3), classes=3, metric=lambda _logits, _labels: 1.0, cs=(10.0, 0.5), iterations=1
    )
    assert found.c == 0.5
    assert found.unfinished == (0.5, 10.0)


@pytest.mark.parametrize("kept", [[1, 3], [0, 2, 4]])
def test_a_class_without_samples_is_never_predicted(kept):
    rows, labels = blobs(5)
    seen = torch.from_numpy(np.isin(labels.numpy(), kept))
    train = rows[seen], labels[seen]
    found = fit_linear_probe(train, train, classes=5, metric=likelihood)
    logits = found.logits(functional.normalize(torch.randn(200, 6), dim=1))
    assert logits.isfinite().all()
    assert set(logits.argmax(1).tolist()) <= set(kept)


def test_one_class_is_refused():
    rows, _ = blobs(2)
    one = rows, torch.zeros(len(rows), dtype=torch.long)
    with pytest.raises(SaflexValueError, match="at least two classes"):
        fit_linear_probe(one, one, classes=2, metric=likelihood)
    with pytest.raises(SaflexValueError, match="at least one C"):
        fit_linear_probe(blobs(2), blobs(2), classes=2, metric=likelihood, cs=())


def test_the_classifier_starts_as_its_head():
    net, images = towers(), pictures()
    head = zero_shot_head(net, CAPTIONS)
    assert_close(ClipClassifier(net.image_tower, head)(images), net.logits(images, head))
    labels = torch.tensor([0, 1, 0, 1])
    embeddings = net.image_tower.embeddings(images).detach()
    probe = fit_linear_probe((embeddings, labels), (embeddings, labels), classes=2, metric=likelihood)
    found = ClipClassifier(net.image_tower, probe.weight, probe.bias)
    assert_close(found(images), probe.logits(embeddings))
    assert not any(name.startswith("text") for name, _ in found.named_parameters())


@pytest.mark.parametrize("scope", ["all", "head"])
def test_the_supervised_method_works_on_it(scope):
    """The derivative that the core takes is that of reverse mode, in float64."""
    net, images, labels = towers().double(), pictures(), torch.tensor([0, 1, 0, 1])
    model = ClipClassifier(net.image_tower, 0.1 * torch.randn(2, 24), torch.zeros(2))
    found = alignment(model, images, images, labels, scope=scope).matrix
    parts = list((model if scope == "all" else model.head).parameters())
    outer = torch.autograd.grad(functional.cross_entropy(model(images), labels), parts)
    for sample, cls in ((0, 0), (3, 1)):
        log_prob = model(images).log_softmax(1)[sample, cls]
        inner = torch.autograd.grad(log_prob, parts)
        assert_close(found[sample, cls], -sum((g * h).sum() for g, h in zip(outer, inner, strict=True)))
