"""E15: Π along the direction in which an optimizer of the Adam family truly steps."""

import copy

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from saflex_cli.core import Saflex, soft_cross_entropy
from saflex_cli.errors import SaflexValueError
from tests.core.small_models import Problem, problem_of, smooth_mlp, vectors
from tests.reference import reference_alignment


@pytest.fixture
def problem() -> Problem:
    return problem_of(smooth_mlp(), vectors, "2")


def adam_preconditioner(history: list[dict[str, torch.Tensor]], beta: float, epsilon: float) -> dict[str, torch.Tensor]:
    """1 / (√v̂ + ε) from a history of gradients, by Adam's definition."""
    moment = {name: torch.zeros_like(gradient) for name, gradient in history[0].items()}
    for gradients in history:
        moment = {name: beta * moment[name] + (1 - beta) * gradients[name] ** 2 for name in moment}
    return {name: 1 / ((v / (1 - beta ** len(history))).sqrt() + epsilon) for name, v in moment.items()}


@pytest.mark.parametrize("adam", [torch.optim.Adam, torch.optim.AdamW])
@pytest.mark.parametrize("steps", [1, 3])
def test_preconditioned_by_adam(problem, adam, steps):
    """Π along P g, with P worked out by hand from the gradients that Adam has seen."""
    optimizer = adam(problem.model.parameters(), lr=1e-3, betas=(0.8, 0.9), eps=1e-2)
    history = [{name: torch.randn_like(p) for name, p in problem.model.named_parameters()} for _ in range(steps)]
    for gradients in history:
        for name, parameter in problem.model.named_parameters():
            parameter.grad = gradients[name]
        optimizer.step()
    call = problem.call()
    found = Saflex(preset="lp", precondition=True)(**call, optimizer=optimizer)
    arguments = {name: call[name] for name in ("model", "inputs", "outer_inputs", "outer_labels")}
    expected = reference_alignment(**arguments, preconditioner=adam_preconditioner(history, 0.9, 1e-2))
    assert_close(found.alignment, expected)


def test_before_the_first_step_the_direction_is_plain(problem):
    """An Adam without history preconditions nothing."""
    optimizer = torch.optim.Adam(problem.model.parameters())
    found = Saflex(preset="lp", precondition=True)(**problem.call(), optimizer=optimizer)
    assert_close(found.alignment, Saflex(preset="lp")(**problem.call()).alignment)


def test_preconditioned_to_first_order(problem):
    """The rate at which a true Adam-like step −η P ∇L_batch lowers the outer loss is Σ w y Π with Π along P g."""
    call = problem.call()
    optimizer = torch.optim.Adam(problem.model.parameters(), lr=0.0, betas=(0.0, 0.9), eps=1e-2)
    gradients = {name: torch.randn_like(p) for name, p in problem.model.named_parameters()}
    for name, parameter in problem.model.named_parameters():
        parameter.grad = gradients[name]
    optimizer.step()
    refined = Saflex(preset="lp", precondition=True)(**call, optimizer=optimizer)
    problem.model.zero_grad()
    (refined.loss() * refined.sample_weights.sum()).backward()
    preconditioner = adam_preconditioner([gradients], 0.9, 1e-2)
    stepped, size = copy.deepcopy(problem.model), 1e-6
    with torch.no_grad():
        for name, parameter in stepped.named_parameters():
            parameter.sub_(size * preconditioner[name] * problem.model.get_parameter(name).grad)
    losses = [
        nn.functional.cross_entropy(model(call["outer_inputs"]), call["outer_labels"]).item()
        for model in (problem.model, stepped)
    ]
    promised = (refined.sample_weights[:, None] * refined.soft_labels * refined.alignment).sum().item()
    assert (losses[0] - losses[1]) / size == pytest.approx(promised, rel=1e-3)


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [(torch.optim.SGD, {"momentum": 0.9}), (torch.optim.SGD, {}), (torch.optim.RMSprop, {}), (torch.optim.Adamax, {})],
    ids=["momentum", "sgd", "rmsprop", "adamax"],
)
def test_an_optimizer_without_adams_moments_is_refused(problem, optimizer, options):
    """Once it has stepped, an optimizer that keeps no second moment is refused, not silently ignored."""
    stepped = optimizer(problem.model.parameters(), lr=1e-3, **options)
    soft_cross_entropy(problem.model(problem.inputs), problem.upstream_labels).backward()
    stepped.step()
    with pytest.raises(SaflexValueError, match="optimizer of the Adam family"):
        Saflex(preset="lp", precondition=True)(**problem.call(), optimizer=stepped)
