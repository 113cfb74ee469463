"""A pass that the step makes anyway serves as the outer pass: the same Π, and no pass more than plain training."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.testing import assert_close

from saflex_cli.core import Refined, Saflex, outer_direction, recorded_direction, recorded_pass
from saflex_cli.errors import SaflexValueError
from tests.core.small_models import PROBLEMS, Problem, pictures, problem_of, randomised, smooth_mlp, vectors

WITHOUT_DROPOUT = [
    "conv",
    "conv-eval",
    "conv-frozen-norm",
    "conv-frozen-body",
    "timm-vit",
    "tuple",
    "dict",
    "recurrent",
]
NEAR = {"rtol": 0.0, "atol": 1e-10}
CHOICES = [
    {},
    {"reduction": "sum"},
    {"balance": True},
    {"features": "centred"},
    {"features": "correlation", "balance": True},
    {"steps": 5},
]
PRESETS = [
    {"preset": "proximal"},
    {"preset": "weights_only"},
    {"preset": "proximal", "outer_momentum": 0.5, "outer_balance": True},
    {"preset": "proximal", "head_features": "centred", "weight_margin": 1.0, "outer_steps": 3},
    {"preset": "paper", "scope": "head", "outer_reduction": "sum"},
]


def test_the_worked_case():
    """Two samples with features 1 and 3 and no preference between two classes."""
    layer = nn.Linear(1, 2).double()
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    direction = recorded_direction(
        recorded_pass(layer, torch.tensor([[1.0], [3.0]]).double()), torch.tensor([0, 1])
    ).tangents
    assert_close(direction["weight"], torch.tensor([[-0.5], [0.5]]).double(), **NEAR)
    assert_close(direction["bias"], torch.zeros(2).double(), **NEAR)


@pytest.mark.parametrize("choices", CHOICES, ids=str)
@pytest.mark.parametrize("name", WITHOUT_DROPOUT)
def test_the_direction_is_that_of_a_pass_of_its_own(name, choices):
    problem = PROBLEMS[name]()
    expected = outer_direction(problem.model, problem.outer_inputs, problem.outer_labels, scope="head", **choices)
    found = recorded_direction(recorded_pass(problem.model, problem.outer_inputs), problem.outer_labels, **choices)
    assert found.head is expected.head
    assert found.tangents.keys() == expected.tangents.keys()
    for parameter, tangent in expected.tangents.items():
        assert_close(found.tangents[parameter], tangent, **NEAR)


@pytest.mark.parametrize("name", ["conv", "dropout", "torchvision-vit", "never-at-rest"])
def test_a_recorded_pass_is_the_plain_pass(name):
    """Logits, graph, running statistics and random state are those of `model(inputs)`."""
    problem = PROBLEMS[name]()
    plain, state = copy.deepcopy(problem.model), torch.get_rng_state()
    logits = plain(problem.inputs)
    after = torch.get_rng_state()
    torch.set_rng_state(state)
    passed = recorded_pass(problem.model, problem.inputs)
    assert torch.equal(passed.logits, logits)
    assert torch.equal(torch.get_rng_state(), after)
    assert_close(dict(problem.model.named_buffers()), dict(plain.named_buffers()), rtol=0, atol=0)
    passed.logits.square().sum().backward()
    logits.square().sum().backward()
    for found, expected in zip(problem.model.parameters(), plain.parameters(), strict=True):
        assert_close(found.grad, expected.grad, rtol=0, atol=0)


def slow_twin(problem: Problem, settings: dict) -> tuple[nn.Module, torch.Tensor, torch.Tensor, Refined]:
    """Two plain training passes, clean batch first, and the outer direction by a third that leaves no trace."""
    model = copy.deepcopy(problem.model)
    logits = model(problem.outer_inputs)
    refined = Saflex(**settings)(**{**problem.call(), "model": model}, generator=torch.Generator().manual_seed(1))
    loss = (refined.loss() + functional.cross_entropy(logits, problem.outer_labels)) / 2
    return model, logits, loss, refined


@pytest.mark.parametrize("settings", PRESETS, ids=str)
@pytest.mark.parametrize("name", ["conv", "conv-frozen-norm", "timm-vit", "tuple"])
def test_a_step_equals_its_slow_twin(name, settings):
    """Same logits, Π, labels, weights, loss, gradients and running statistics, without the outer pass."""
    problem = PROBLEMS[name]()
    twin, twin_logits, twin_loss, expected = slow_twin(problem, settings)
    model = problem.model
    clean = recorded_pass(model, problem.outer_inputs)
    refined = Saflex(**settings)(
        model=model,
        inputs=problem.inputs,
        upstream_labels=problem.upstream_labels,
        outer_pass=clean,
        outer_labels=problem.outer_labels,
        generator=torch.Generator().manual_seed(1),
    )
    loss = (refined.loss() + functional.cross_entropy(clean.logits, problem.outer_labels)) / 2
    assert_close(clean.logits, twin_logits, **NEAR)
    for part in ("logits", "alignment", "soft_labels", "sample_weights"):
        assert_close(getattr(refined, part), getattr(expected, part), **NEAR)
    assert_close(loss, twin_loss, **NEAR)
    assert_close(dict(model.named_buffers()), dict(twin.named_buffers()), **NEAR)
    loss.backward()
    twin_loss.backward()
    for (parameter, found), reference in zip(model.named_parameters(), twin.parameters(), strict=True):
        assert_close(found.grad, reference.grad, **NEAR, msg=parameter)


def test_no_pass_more_than_plain_training():
    calls = []
    problem = problem_of(smooth_mlp(), vectors, "2")
    problem.model.register_forward_hook(lambda *_: calls.append(1))
    clean = recorded_pass(problem.model, problem.outer_inputs)
    Saflex(preset="proximal")(
        model=problem.model,
        inputs=problem.inputs,
        upstream_labels=problem.upstream_labels,
        outer_pass=clean,
        outer_labels=problem.outer_labels,
    )
    assert len(calls) == 2


def test_dropout_masks_are_drawn_once_for_each_pass():
    """Those of the clean pass come first; the augmented batch gets the next, as in plain training."""
    problem = PROBLEMS["dropout"]()
    plain, state = copy.deepcopy(problem.model), torch.get_rng_state()
    expected = [plain(problem.outer_inputs), plain(problem.inputs)]
    torch.set_rng_state(state)
    clean = recorded_pass(problem.model, problem.outer_inputs)
    refined = Saflex(preset="weights_only")(
        model=problem.model,
        inputs=problem.inputs,
        upstream_labels=problem.upstream_labels,
        outer_pass=clean,
        outer_labels=problem.outer_labels,
    )
    assert torch.equal(clean.logits, expected[0])
    assert torch.equal(refined.logits, expected[1])
    assert_close(dict(problem.model.named_buffers()), dict(plain.named_buffers()), rtol=0, atol=0)


def test_the_pass_stays_differentiable_beside_its_direction():
    """Taking the direction cuts nothing from the graph of the clean loss."""
    model = randomised(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3)))
    clean = recorded_pass(model, pictures(4))
    recorded_direction(clean, torch.tensor([0, 1, 2, 0]))
    functional.cross_entropy(clean.logits, torch.tensor([0, 1, 2, 0])).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("settings", "given", "message"),
    [
        ({"preset": "paper"}, {}, "needs scope head"),
        ({"preset": "proximal", "alignment_mode": "eval"}, {}, "needs scope head and alignment_mode train"),
        ({"preset": "proximal"}, {"outer_inputs": vectors(5)}, "outer_inputs or outer_pass, not both"),
        ({"preset": "proximal"}, {"outer_labels": None}, "needs outer_inputs and outer_labels"),
    ],
)
def test_misuse_is_named(settings, given, message):
    problem = problem_of(smooth_mlp(), vectors, "2")
    arguments = {
        "model": problem.model,
        "inputs": problem.inputs,
        "upstream_labels": problem.upstream_labels,
        "outer_pass": recorded_pass(problem.model, problem.outer_inputs),
        "outer_labels": problem.outer_labels,
    }
    with pytest.raises(SaflexValueError, match=message):
        Saflex(**settings)(**(arguments | given))


def test_a_head_that_is_none_is_refused():
    with pytest.raises(SaflexValueError, match="no linear layer gives the model's output"):
        recorded_pass(randomised(nn.Sequential(nn.Linear(6, 3), nn.Tanh())), vectors(4))
