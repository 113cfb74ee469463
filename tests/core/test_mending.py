"""Ideas that are no reading of the paper: the running outer gradient, the joint weight test, margins, schedules."""

import pytest
import torch
from torch.testing import assert_close

from saflex_cli.core import Saflex
from saflex_cli.core.alignment import outer_direction
from saflex_cli.core.losses import outer_shares
from saflex_cli.core.solution import joint_gain
from saflex_cli.errors import SaflexValueError
from saflex_cli.settings import PRESETS, Settings, at_epoch, preset_settings
from tests.core.small_models import CLASSES, problem_of, smooth_mlp, vectors
from tests.reference import reference_error, reference_head_terms


@pytest.fixture
def problem():
    return problem_of(smooth_mlp(), vectors, "2", batch=16, outer=12)


@pytest.mark.parametrize("scope", ["all", "head"])
def test_the_running_outer_gradient_is_the_mean_of_what_was_seen(problem, scope):
    """Three calls with other outer batches against the mean written out; `restart` keeps it, `reset` does not."""
    saflex = Saflex(preset="lp", scope=scope, outer_momentum=0.75)
    expected = None
    for start in range(3):
        call = problem.call() | {
            "outer_inputs": problem.outer_inputs[4 * start : 4 * start + 4],
            "outer_labels": problem.outer_labels[4 * start : 4 * start + 4],
        }
        latest = outer_direction(problem.model, call["outer_inputs"], call["outer_labels"], scope=scope).tangents
        mixed = {name: 0.75 * expected[name] + 0.25 * latest[name] for name in latest} if expected else latest
        expected = mixed
        saflex(**call)
        saflex.restart()
    for name, tangent in expected.items():
        assert_close(saflex.running[name], tangent)
    saflex.reset()
    assert saflex.running == {}


def test_without_momentum_nothing_runs(problem):
    saflex = Saflex(preset="lp")
    saflex(**problem.call())
    assert saflex.running == {}


@pytest.mark.parametrize("view", ["raw", "centred", "correlation"])
def test_the_standard_error_is_that_of_a_mean_over_outer_samples(problem, view):
    arguments = problem.arguments()
    direction = outer_direction(problem.model, problem.outer_inputs, problem.outer_labels, scope="head", features=view)
    hidden = problem.model[:2](problem.inputs)
    labels = torch.rand(16, CLASSES, dtype=torch.float64).softmax(1)
    found = direction.samples.standard_error(
        direction.samples.view.of(hidden), labels, problem.model(problem.inputs).softmax(1)
    )
    terms = reference_head_terms(head_name=problem.head, **arguments, view=view)
    assert_close(found, torch.tensor(reference_error(terms, labels), dtype=torch.float64), check_dtype=False)


@pytest.mark.parametrize("view", ["raw", "correlation"])
@pytest.mark.parametrize("balance", [False, True])
def test_a_long_path_leads_towards_what_the_outer_samples_alone_would_teach(problem, view, balance):
    """No step raises the outer loss, and the more steps, the nearer Π's direction is to the last layer's optimum."""
    call = {"features": view, "balance": balance, "scope": "head"}
    short, long = (
        outer_direction(problem.model, problem.outer_inputs, problem.outer_labels, steps=steps, **call).samples
        for steps in (1, 400)
    )
    moved = 400 * long.shares[:, None] * long.residuals
    kernel = long.kernel(long.features)
    curvature = torch.linalg.eigvalsh(long.shares.sqrt()[:, None] * kernel * long.shares.sqrt())[-1] / 2
    logits = problem.model(problem.outer_inputs)
    before = torch.nn.functional.cross_entropy(logits, problem.outer_labels, reduction="none")
    after = torch.nn.functional.cross_entropy(
        logits + kernel @ moved / curvature, problem.outer_labels, reduction="none"
    )
    assert (after * long.shares).sum() < 0.8 * (before * long.shares).sum()
    assert long.residuals.square().sum() < short.residuals.square().sum()


def test_a_wide_margin_keeps_every_sample(problem):
    plain = Saflex(preset="weights_only")(**problem.call()).sample_weights
    wide = Saflex(preset="weights_only", weight_margin=1e6)(**problem.call()).sample_weights
    assert 0 < plain.sum() < len(plain)
    assert wide.tolist() == [1.0] * len(wide)


def test_balanced_shares():
    labels = torch.tensor([[0.9, 0.1, 0], [0.8, 0.2, 0], [1, 0, 0], [0.0, 0, 1]])
    assert_close(outer_shares(labels), torch.tensor([1 / 6, 1 / 6, 1 / 6, 1 / 2]))


def test_the_joint_optimum_never_rejects_without_an_upstream_label():
    """Σ_k p_k Π_k = 0 for log-probabilities, so that Jensen's inequality keeps every sample (E3)."""
    log_probs = torch.randn(50, 4, dtype=torch.float64).log_softmax(1)
    velocity = torch.randn(50, 4, dtype=torch.float64)
    matrix = velocity - (log_probs.exp() * velocity).sum(1, keepdim=True)
    upstream = torch.eye(4, dtype=torch.float64)[torch.arange(50) % 4]
    free = Settings(weight_rule="joint", model_prior=1.0)
    assert (joint_gain(matrix, upstream, log_probs, free) >= 0).all()
    bound = joint_gain(matrix, upstream, log_probs, Settings(weight_rule="joint", label_retention=20.0))
    assert ((bound >= 0) == ((matrix * upstream).sum(1) >= 0)).all()


def test_the_settings_of_an_epoch():
    settings = preset_settings("proximal", warm_up=2, label_retention=1.0, label_retention_end=4.0, normalise="batch")
    assert at_epoch(PRESETS["lp"], 7, 10) is PRESETS["lp"]
    assert [at_epoch(settings, epoch, 7).needs_outer for epoch in range(7)] == [False] * 2 + [True] * 5
    assert at_epoch(settings, 0, 7).normalise == "batch"
    assert [at_epoch(settings, epoch, 7).label_retention for epoch in (2, 6)] == pytest.approx([2.0, 4.0])


def test_warm_up_is_training_on_the_upstream_batch(problem):
    settings = at_epoch(preset_settings("proximal", warm_up=1), 0, 5)
    saflex = Saflex(preset="paper")
    saflex.settings = settings
    refined = saflex(**problem.call())
    assert refined.sample_weights.tolist() == [1.0] * 16
    assert_close(refined.soft_labels, refined.upstream_labels)


@pytest.mark.parametrize(
    ("preset", "overrides", "message"),
    [
        ("paper", {"head_features": "centred"}, "head_features centred needs scope head, not all"),
        ("proximal", {"head_features": "centred", "precondition": True}, "needs head_features raw"),
        ("paper", {"outer_steps": 10}, "outer_steps 10 needs scope head, not all"),
        ("proximal", {"outer_steps": 0}, "outer_steps must be above 0"),
        ("paper", {"weight_margin": 1.0}, "weight_margin does not go with scope all"),
        ("proximal", {"weight_margin": 1.0, "outer_momentum": 0.5}, "does not go with outer_momentum 0.5"),
        ("proximal", {"weight_margin": 1.0, "weight_rule": "relu"}, "does not go with weight_rule relu"),
        ("proximal", {"outer_momentum": 1.0}, "outer_momentum must be below 1"),
        ("proximal", {"warm_up": -1}, "warm_up must be at least 0"),
        ("proximal", {"label_retention_end": -1.0}, "label_retention_end must be at least 0"),
    ],
)
def test_what_does_not_go_together(preset, overrides, message):
    with pytest.raises(SaflexValueError, match=message):
        preset_settings(preset, **overrides)
