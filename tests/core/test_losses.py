"""The weighted soft cross-entropy and the conversion of labels."""

import math

import jaxtyping
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from saflex_cli.core import soft_cross_entropy, soft_labels
from saflex_cli.errors import SaflexValueError
from tests.reference import reference_loss


def random_batch():
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    labels = torch.randn(4, 3, dtype=torch.float64).softmax(1)
    weights = torch.tensor([0.5, 0.0, 1.0, 0.25], dtype=torch.float64)
    return logits, labels, weights


@pytest.mark.parametrize(("normalise", "divisor"), [("sum", 0.75), ("batch", 2.0)])
def test_by_hand(normalise, divisor):
    """Two samples, two classes, worked by hand.

    Sample 1: logits (0, 0) give p = (1/2, 1/2). Label (1, 0), weight 1/2: 1/2 · log 2 = 0.346574.
    Sample 2: logits (log 3, 0) give p = (3/4, 1/4). Label (1/2, 1/2), weight 1/4:
              −1/4 · (1/2 · log 3/4 + 1/2 · log 1/4) = 1/8 · log 16/3 = 0.209247.
    Together 0.555821, to be divided by Σ w = 3/4 or by B = 2.
    """
    logits = torch.tensor([[0.0, 0.0], [math.log(3), 0.0]], dtype=torch.float64)
    labels = torch.tensor([[1.0, 0.0], [0.5, 0.5]], dtype=torch.float64)
    weights = torch.tensor([0.5, 0.25], dtype=torch.float64)
    found = soft_cross_entropy(logits, labels, weights, normalise=normalise)
    assert found.item() == pytest.approx(0.555821 / divisor, abs=1e-6)


@pytest.mark.parametrize("normalise", ["sum", "batch"])
def test_equals_the_double_sum(normalise):
    """Value and gradient are those of the formula written out."""
    logits, labels, weights = random_batch()
    found = soft_cross_entropy(logits, labels, weights, normalise=normalise)
    expected = reference_loss(logits, labels, weights, normalise=normalise)
    assert_close(found, expected)
    assert_close(torch.autograd.grad(found, logits), torch.autograd.grad(expected, logits))


def test_without_weights_it_is_torchs_own():
    """Unweighted it is `torch.nn.functional.cross_entropy`, for classes and for soft labels."""
    logits, labels, _ = random_batch()
    assert_close(soft_cross_entropy(logits, labels), functional.cross_entropy(logits, labels))
    classes = torch.tensor([0, 2, 1, 1])
    rows = soft_labels(classes, logits)
    assert_close(soft_cross_entropy(logits, rows), functional.cross_entropy(logits, classes))


@pytest.mark.parametrize("normalise", ["sum", "batch"])
def test_all_weights_zero_teach_nothing(normalise):
    """Σ w = 0 gives loss 0 with gradient 0, not 0/0 (E7)."""
    logits, labels, _ = random_batch()
    loss = soft_cross_entropy(logits, labels, torch.zeros(4, dtype=torch.float64), normalise=normalise)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert loss.item() == 0
    assert torch.equal(gradient, torch.zeros_like(gradient))


@pytest.mark.parametrize("tiny", [1e-30, 1e-300])
def test_only_the_ratio_of_weights_counts(tiny):
    """Normalised by their sum, weights may be of any size."""
    logits, labels, weights = random_batch()
    assert_close(soft_cross_entropy(logits, labels, tiny * weights), soft_cross_entropy(logits, labels, weights))


def test_a_column_of_weights_does_not_broadcast():
    """Weights (B, 1) would broadcast to (B, B) and give a wrong loss silently; the shape check catches them."""
    logits, labels, weights = random_batch()
    with pytest.raises(jaxtyping.TypeCheckError, match="sample_weights"):
        soft_cross_entropy(logits, labels, weights[:, None])


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int8])
def test_classes_become_rows(dtype):
    found = soft_labels(torch.tensor([2, 0], dtype=dtype), torch.zeros(2, 3))
    assert found.tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_rows_take_the_type_of_the_logits(dtype):
    labels = torch.tensor([[0.25, 0.75], [1.0, 0.0]])
    found = soft_labels(labels, torch.zeros(2, 2, dtype=dtype))
    assert found.dtype == dtype
    assert torch.equal(found.float(), labels)


def test_valid_rows_are_valid_whatever_the_type_of_the_logits():
    """Rows that sum to 1 in single precision are probability vectors, also where the logits are in half precision."""
    labels = torch.randn(4096, 7).softmax(1)
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        assert torch.equal(soft_labels(labels, torch.zeros(4096, 7, dtype=dtype)), labels.to(dtype))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0, 3]), "outer_labels contains class 3; the model has classes 0…2"),
        (torch.tensor([-1, 0]), "outer_labels contains class -1"),
        (torch.tensor([0, 1, 2]), "outer_labels has 3 entries for 2 samples"),
        (torch.tensor([0.0, 1.0]), "must be integers"),
        (torch.tensor([[0], [1]]), "must be integers"),
        (torch.tensor([[0, 0, 1], [1, 0, 0]]), "must be integers"),
        (torch.tensor([[0.5, 0.5], [1.0, 0.0]]), "must be integers"),
        (torch.tensor([[0.5, 0.4, 0.0], [1.0, 0.0, 0.0]]), "every row must be a probability vector"),
        (torch.tensor([[1.5, -0.5, 0.0], [1.0, 0.0, 0.0]]), "every row must be a probability vector"),
        (torch.tensor([[float("nan"), 0.5, 0.5], [1.0, 0.0, 0.0]]), "every row must be a probability vector"),
    ],
    ids=["too-large", "negative", "length", "float", "column", "int-rows", "classes", "sum", "sign", "nan"],
)
@pytest.mark.usefixtures("as_installed")
def test_bad_labels_are_refused(labels, message):
    """The message names the argument and says what is wrong with it."""
    with pytest.raises(SaflexValueError, match=message):
        soft_labels(labels, torch.zeros(2, 3), "outer_labels")
