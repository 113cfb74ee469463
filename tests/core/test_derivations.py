"""What docs/method.md derives and no other test covers."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torch.testing import assert_close

from saflex_cli.core import alignment, outer_direction, solve_labels
from saflex_cli.core.alignment import align
from saflex_cli.core.solution import joint_gain
from saflex_cli.settings import Settings, preset_settings
from tests.core.small_models import BATCH, CLASSES, Problem, problem_of, smooth_mlp, vectors


@pytest.fixture
def problem() -> Problem:
    return problem_of(smooth_mlp(), vectors, "2", outer=12)


@given(st.integers(0, 2**31), st.floats(0, 5), st.floats(0, 2), st.floats(0.1, 10))
def test_the_three_weight_tests_are_nested(seed, retention, model_prior, scale):
    """s Π·q ≤ log Σ q exp(s Π) ≤ s Π·y: the prior's label is the strictest, the learned label the most lenient."""
    generator = torch.Generator().manual_seed(seed)
    matrix, scores, prior_scores = torch.randn(3, 5, 4, dtype=torch.float64, generator=generator)
    upstream, log_probs = scores.softmax(1), prior_scores.log_softmax(1)
    settings = preset_settings("proximal", scale=scale, label_retention=retention, model_prior=model_prior)
    gain = joint_gain(matrix, upstream, log_probs, settings)
    prior = (retention * upstream + model_prior * log_probs).softmax(1)
    learned = solve_labels(matrix, log_probs, upstream, settings)
    assert (scale * (matrix * prior).sum(1) <= gain + 1e-12).all()
    assert (gain <= scale * (matrix * learned).sum(1) + 1e-12).all()


def test_a_path_of_steps_gives_the_prediction_after_them(problem):
    """With β = 0, γ = 1 and s = n / L: n gradient steps of the classifier layer, each of length 1 / L."""
    steps, model = 7, copy.deepcopy(problem.model)
    body, head = model[:2], model[2]
    seen = torch.cat([body(problem.outer_inputs), torch.ones(12, 1, dtype=torch.float64)], 1).detach()
    curvature = torch.linalg.eigvalsh(seen.T @ seen / 12)[-1].item() / 2
    direction = outer_direction(problem.model, problem.outer_inputs, problem.outer_labels, scope="head", steps=steps)
    found = align(problem.model, problem.inputs, direction)
    settings = Settings(scope="head", scale=steps / curvature, model_prior=1.0)
    labels = solve_labels(found.matrix, found.log_probs, torch.full((BATCH, CLASSES), 1 / 3).double(), settings)
    for _ in range(steps):
        loss = functional.cross_entropy(model(problem.outer_inputs), problem.outer_labels)
        with torch.no_grad():
            for parameter, gradient in zip(
                head.parameters(), torch.autograd.grad(loss, list(head.parameters())), strict=True
            ):
                parameter.sub_(gradient / curvature)
    assert_close(labels, model(problem.inputs).softmax(1).detach())


def test_logits_over_the_classifier_layer_add_up_to_nothing(problem):
    """Theorem 1's printed sum then hangs on rounding."""
    found = alignment(**problem.arguments(), scope="head", of="logit")
    assert_close(found.matrix.sum(1), torch.zeros(BATCH, dtype=torch.float64))
    assert found.matrix.abs().max() > 1e-3


def test_the_centred_direction_goes_down_the_outer_loss_too(problem):
    """As a change of the layer, (G, −G μ): at the rate ‖G‖², for a layer W (h − μ) with its bias held."""
    call = (problem.model, problem.outer_inputs, problem.outer_labels)
    centred = outer_direction(*call, scope="head", features="centred")
    weight = centred.tangents["weight"]
    plain = outer_direction(*call, scope="head").tangents
    rate = (plain["weight"] * weight).sum() - plain["bias"] @ weight @ centred.samples.view.centre
    assert_close(rate, weight.square().sum())
    head = problem.model[2]
    assert isinstance(head, nn.Linear)
    kernel = centred.samples.kernel(centred.samples.features)
    assert_close(kernel.mean(1), torch.zeros(12, dtype=torch.float64))
