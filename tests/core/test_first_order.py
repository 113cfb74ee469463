"""The promise: to first order, a step on the refined batch lowers the outer loss by Σ_i w_i Σ_k y_ik Π_ik."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.testing import assert_close

from saflex_cli.core import PRESETS, Saflex, alignment, outer_direction, solve_labels
from saflex_cli.settings import preset_settings
from tests.core.small_models import BATCH, CLASSES, Problem, problem_of, smooth_mlp, vectors
from tests.reference import reference_loss


@pytest.fixture
def problem() -> Problem:
    return problem_of(smooth_mlp(), vectors, "2")


def outer_loss(model: nn.Module, call) -> float:
    return functional.cross_entropy(model(call["outer_inputs"]), call["outer_labels"]).item()


def step(module: nn.Module, gradients, size: float) -> None:
    """Plain gradient descent, in place."""
    with torch.no_grad():
        for parameter, gradient in zip(module.parameters(), gradients, strict=True):
            parameter.sub_(size * gradient)


def loss_drop_rate(call, refined, size: float) -> float:
    """(L(θ) − L(θ − ηd)) / η for the step of size η down Σ_i w_i ℓ_i."""
    model = copy.deepcopy(call["model"])
    before = outer_loss(model, call)
    loss = reference_loss(model(call["inputs"]), refined.soft_labels, refined.sample_weights, normalise="batch") * BATCH
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    step(model, gradients, size)
    return (before - outer_loss(model, call)) / size


@pytest.mark.parametrize("preset", PRESETS)
def test_the_outer_loss_falls_at_the_promised_rate(problem, preset):
    """The rate tends to Σ w y Π as η → 0, with an error like η: ten times smaller for a tenth of the step."""
    call = problem.call()
    refined = Saflex(preset=preset)(**call, generator=torch.Generator().manual_seed(0))
    matrix = alignment(**{name: call[name] for name in ("model", "inputs", "outer_inputs", "outer_labels")}).matrix
    promised = (refined.sample_weights[:, None] * refined.soft_labels * matrix).sum().item()
    errors = [loss_drop_rate(call, refined, size) - promised for size in (1e-3, 1e-4)]
    assert abs(errors[1]) < 1e-3 * max(abs(promised), 1e-2)
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize(("sign", "falls"), [(1, True), (-1, False)])
def test_the_sign_decides_whether_the_outer_loss_falls(problem, sign, falls):
    """E1: `lp` with the minus kept lowers the outer loss; the paper's literal sign raises it."""
    call = problem.call()
    refined = Saflex(preset="lp", alignment_sign=sign)(**call)
    rate = loss_drop_rate(call, refined, 1e-4)
    assert (rate > 0) is falls
    assert abs(rate) > 1e-2


@pytest.mark.parametrize("of", ["log_prob", "logit"])
@pytest.mark.parametrize("length", [0.3, 30.0])
def test_proximal_without_retention_is_the_prediction_after_a_step_of_the_head(problem, length, of):
    """With γ = 1, β = 0, τ = 1 the label is softmax of the logits after a step of length s of the head down the outer
    loss: exactly, for long steps too, since the logits are linear in the head."""
    call = problem.call()
    settings = preset_settings("proximal", scale=length, label_retention=0.0)
    found = alignment(call["model"], call["inputs"], call["outer_inputs"], call["outer_labels"], scope="head", of=of)
    labels = solve_labels(found.matrix, found.log_probs, torch.full((BATCH, CLASSES), 1 / 3).double(), settings)
    stepped = copy.deepcopy(call["model"])
    gradients = torch.autograd.grad(
        functional.cross_entropy(stepped(call["outer_inputs"]), call["outer_labels"]), list(stepped[2].parameters())
    )
    step(stepped[2], gradients, length)
    assert_close(labels, stepped(call["inputs"]).softmax(1).detach())


def test_head_direction_is_minus_the_gradient_of_the_head(problem):
    """The closed form of the outer direction is autograd's."""
    loss = functional.cross_entropy(problem.model(problem.outer_inputs), problem.outer_labels)
    weight, bias = torch.autograd.grad(loss, list(problem.model[2].parameters()))
    found = outer_direction(problem.model, problem.outer_inputs, problem.outer_labels, scope="head")
    assert_close(dict(found.tangents), {"weight": -weight, "bias": -bias})
