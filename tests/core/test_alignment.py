"""Π is what it claims to be: equal to a double loop of reverse-mode gradients, whatever the model."""

import copy

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from torch.utils.checkpoint import checkpoint

from saflex_cli.core import OuterDirection, Saflex, align, alignment, outer_direction
from saflex_cli.errors import SaflexValueError
from tests.core.small_models import (
    CLASSES,
    OUTER,
    PROBLEMS,
    Problem,
    conv_net,
    dropout_mlp,
    pictures,
    problem_of,
    randomised,
    vectors,
)
from tests.reference import reference_alignment, reference_head_alignment

OUTPUTS = ("log_prob", "logit", "prob")


@pytest.fixture(params=PROBLEMS)
def problem(request) -> Problem:
    return PROBLEMS[request.param]()


@pytest.mark.parametrize("of", OUTPUTS)
def test_all_parameters_equal_the_double_loop(problem, of):
    """Dual numbers give the definition of Π, for every kind of model and each output f (E2)."""
    expected = reference_alignment(**problem.arguments(), of=of)
    assert expected.abs().max() > 1e-3  # else the comparison says nothing
    assert_close(alignment(**problem.arguments(), of=of).matrix, expected)


@pytest.mark.parametrize("of", OUTPUTS)
def test_head_equals_the_double_loop_over_the_head(problem, of):
    """The closed form gives the definition of Π over the classifier layer alone."""
    expected = reference_head_alignment(head_name=problem.head, **problem.arguments(), of=of)
    assert expected.abs().max() > 1e-3
    assert_close(alignment(**problem.arguments(), scope="head", of=of).matrix, expected)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_head_equals_a_tangent_that_is_zero_elsewhere(problem, mode):
    """The two scopes are one thing: the closed form is the dual pass with no tangent outside the head."""
    full = outer_direction(problem.model, problem.outer_inputs, problem.outer_labels, mode="eval")
    inside = {name: name.startswith(f"{problem.head}.") for name in full.tangents}
    padded = {name: tangent if inside[name] else 0 * tangent for name, tangent in full.tangents.items()}
    head = outer_direction(problem.model, problem.outer_inputs, problem.outer_labels, scope="head", mode="eval")
    problem.model.train(mode == "train")
    dual = align(problem.model, problem.inputs, OuterDirection(padded))
    closed = align(problem.model, problem.inputs, head)
    assert_close(closed.matrix, dual.matrix)
    assert_close(closed.logits, dual.logits)


@pytest.mark.parametrize("scope", ["all", "head"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("sign", [1, -1])
def test_sign_and_reduction(scope, reduction, sign):
    """E1 turns Π around; E11 sums the outer loss instead of averaging it."""
    problem = PROBLEMS["dropout"]()
    found = alignment(**problem.arguments(), scope=scope, sign=sign, outer_reduction=reduction)
    plain = alignment(**problem.arguments(), scope=scope)
    assert_close(found.matrix, sign * (OUTER if reduction == "sum" else 1) * plain.matrix)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("scope", ["all", "head"])
def test_soft_outer_labels(scope, reduction):
    """Outer labels may be probability rows."""
    problem = PROBLEMS["conv"]()
    arguments = {**problem.arguments(), "outer_labels": torch.randn(OUTER, CLASSES, dtype=torch.float64).softmax(1)}
    expected = (
        reference_alignment(**arguments, reduction=reduction)
        if scope == "all"
        else reference_head_alignment(head_name=problem.head, **arguments, reduction=reduction)
    )
    assert_close(alignment(**arguments, scope=scope, outer_reduction=reduction).matrix, expected)


@pytest.mark.parametrize("scope", ["all", "head"])
def test_one_hot_rows_are_class_numbers(scope):
    problem = PROBLEMS["conv"]()
    rows = torch.nn.functional.one_hot(problem.outer_labels, CLASSES).double()
    from_rows = alignment(**{**problem.arguments(), "outer_labels": rows}, scope=scope)
    assert torch.equal(alignment(**problem.arguments(), scope=scope).matrix, from_rows.matrix)


@pytest.mark.parametrize("of", OUTPUTS)
def test_what_the_rows_sum_to(of):
    """Σ_k p_k Π_k = 0 for log-probabilities and Σ_k Π_k = 0 for probabilities (E3); logits have no such rule."""
    problem = PROBLEMS["conv"]()
    found = alignment(**problem.arguments(), of=of)
    factor = {"log_prob": found.log_probs.exp(), "prob": 1.0, "logit": 1.0}[of]
    sums = (factor * found.matrix).sum(1)
    assert bool((sums.abs() < 1e-12).all()) is (of != "logit")


@pytest.mark.parametrize("scope", ["all", "head"])
@pytest.mark.parametrize("model", [conv_net, dropout_mlp])
def test_evaluation_mode_of_a_training_model(model, scope):
    """`mode="eval"` (E9): Π is the evaluation-mode Π, the logits are the training forward pass all the same."""
    problem = problem_of(model(), pictures if model is conv_net else vectors, "")
    found = alignment(**problem.arguments(), scope=scope, mode="eval")
    with torch.random.fork_rng():
        training_logits = copy.deepcopy(problem.model)(problem.inputs)
    problem.model.eval()
    expected = alignment(**problem.arguments(), scope=scope)
    assert_close(found.matrix, expected.matrix)
    assert_close(found.log_probs, expected.logits.detach().log_softmax(1))
    assert_close(found.logits, training_logits)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("scope", ["all", "head"])
def test_evaluation_mode_equals_the_double_loop(name, scope):
    """`mode="eval"` works for every kind of model, attention with an inference-only kernel included."""
    problem = PROBLEMS[name]()
    expected = (
        reference_alignment(**problem.arguments(), mode="eval")
        if scope == "all"
        else reference_head_alignment(head_name=problem.head, **problem.arguments(), mode="eval")
    )
    assert_close(alignment(**problem.arguments(), scope=scope, mode="eval").matrix, expected)


@pytest.mark.parametrize("name", ["conv-eval", "torchvision-vit"])
def test_measured_where_gradients_are_off(name):
    """A measurement needs no gradients: under `no_grad` Π is the same."""
    problem = PROBLEMS[name]()
    problem.model.eval()
    expected = alignment(**problem.arguments()).matrix
    with torch.no_grad():
        found = alignment(**problem.arguments()).matrix
    assert_close(found, expected)


class Checkpointed(nn.Module):
    """Recomputes its body in the backward pass."""

    def __init__(self, *, reentrant: bool, stem: nn.Module):
        super().__init__()
        self.stem, self.body, self.head = stem, nn.Linear(6, 4), nn.Linear(4, CLASSES)
        self.reentrant = reentrant

    def forward(self, inputs):
        stemmed = self.stem(inputs.detach().requires_grad_())
        return self.head(torch.tanh(checkpoint(self.body, stemmed, use_reentrant=self.reentrant)))


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")  # in passes without gradients
@pytest.mark.parametrize("stem", [nn.Identity, lambda: nn.Linear(6, 6)], ids=["first", "later"])
@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("scope", ["all", "head"])
def test_checkpointed_layers_are_refused_or_right(scope, reentrant, stem):
    """Activation checkpointing loses tangents: Π and the training gradient are right, or scope `all` is refused."""
    problem = problem_of(randomised(Checkpointed(reentrant=reentrant, stem=stem())), vectors, "head")
    model = problem.model
    plain = copy.deepcopy(nn.Sequential(model.stem, model.body, nn.Tanh(), model.head))
    expected = Saflex(preset="lp", scope=scope)(**{**problem.call(), "model": plain})
    try:
        found = Saflex(preset="lp", scope=scope)(**problem.call())
    except SaflexValueError as refusal:
        assert scope == "all"
        assert "scope='head'" in str(refusal)  # noqa: PT017 - either outcome is right
        return
    found.loss().backward()
    expected.loss().backward()
    assert_close(found.alignment, expected.alignment)
    assert_close([p.grad for p in model.parameters()], [p.grad for p in plain.parameters()])


def test_an_operation_without_a_forward_derivative_is_refused():
    """Not a raw torch error: the message names the way out, and that way works."""
    problem = problem_of(randomised(nn.Sequential(Distances(), nn.Linear(4, CLASSES))), vectors, "1")
    with pytest.raises(SaflexValueError, match=r"without a forward derivative.*scope='head'"):
        alignment(**problem.arguments())
    expected = reference_head_alignment(head_name=problem.head, **problem.arguments())
    assert_close(alignment(**problem.arguments(), scope="head").matrix, expected)


class Distances(nn.Module):
    """Distances to learned prototypes; torch has no forward derivative for `cdist`."""

    def __init__(self):
        super().__init__()
        self.prototypes = nn.Parameter(torch.zeros(4, 6))

    def forward(self, inputs):
        return torch.cdist(inputs, self.prototypes)


def test_matrix_and_log_probs_carry_no_graph():
    """Π is a constant of the training loss; the logits keep their graph."""
    problem = PROBLEMS["conv"]()
    found = alignment(**problem.arguments())
    assert (found.matrix.requires_grad, found.log_probs.requires_grad) == (False, False)
    assert found.logits.requires_grad


def test_a_model_without_trainable_parameters_is_refused():
    problem = PROBLEMS["conv"]()
    problem.model.requires_grad_(requires_grad=False)
    with pytest.raises(ValueError, match="no trainable parameter"):
        alignment(**problem.arguments())


@pytest.mark.parametrize("name", ["trained-norm", "frozen-norm", "evaluation-mode"])
@pytest.mark.parametrize("scope", ["all", "head"])
def test_autocast(scope, name):
    """Inside autocast Π is that of single precision, to the 8 bits of bfloat16."""
    mode = "eval" if name == "evaluation-mode" else "train"
    model = conv_net().float()
    model[1].train(name != "frozen-norm")
    problem = problem_of(model, lambda count: pictures(count).float(), "5")
    exact = alignment(**problem.arguments(), scope=scope, mode=mode).matrix
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = alignment(**problem.arguments(), scope=scope, mode=mode).matrix
    assert found.dtype == torch.float32
    assert_close(found, exact, rtol=0, atol=0.05 * exact.abs().max().item())
