"""The bilevel step: its derivative against second-order differentiation, its search against convex optimisation."""

from copy import deepcopy
from typing import get_args

import numpy as np
import pytest
import torch
from scipy.optimize import LinearConstraint, minimize
from torch import Tensor, nn
from torch.nn import functional

from saflex_cli.core.losses import soft_cross_entropy
from saflex_cli.experiment.one_step import Normalise, OneStep, frank_wolfe_gap, masses, one_step, search

B, K, D, M = 4, 3, 2, 12
EVERY = get_args(Normalise)


def data() -> dict[str, tuple[Tensor, Tensor]]:
    return {"outer": (torch.randn(M, D).double(), torch.randint(K, (M,)))}


def build(*, hidden: bool) -> tuple[nn.Module, Tensor, dict[str, tuple[Tensor, Tensor]], OneStep]:
    layers = [nn.Linear(D, 5), nn.Tanh(), nn.Linear(5, K)] if hidden else [nn.Linear(D, K)]
    model, inputs, trusted = nn.Sequential(*layers).double(), torch.randn(B, D).double(), data()
    return model, inputs, trusted, one_step(model, inputs, trusted)


@pytest.mark.parametrize("normalise", EVERY)
def test_loss_and_derivative_are_those_of_differentiating_through_the_step(normalise: Normalise) -> None:
    model, inputs, trusted, step = build(hidden=True)
    weights = torch.rand(B).double().requires_grad_()
    labels = torch.randn(B, K).double().softmax(1).requires_grad_()
    found = step.after(masses(weights, labels, normalise), 0.7)
    ours = torch.autograd.grad(found, (weights, labels))

    # The twin: a training step as one writes it, with its graph kept.
    parameters = dict(model.named_parameters())
    loss = soft_cross_entropy(model(inputs), labels, weights, normalise=normalise)
    gradients = torch.autograd.grad(loss, list(parameters.values()), create_graph=True)
    moved = {name: p - 0.7 * g for (name, p), g in zip(parameters.items(), gradients, strict=True)}
    after = functional.cross_entropy(
        torch.func.functional_call(model, moved, (trusted["outer"][0],)), trusted["outer"][1]
    )
    assert torch.allclose(found, after, atol=1e-12)
    for own, twin in zip(ours, torch.autograd.grad(after, (weights, labels)), strict=True):
        assert torch.allclose(own, twin, atol=1e-12)
    assert step.before() == pytest.approx(
        functional.cross_entropy(model(trusted["outer"][0]), trusted["outer"][1]).item()
    )


def test_an_optimizer_makes_the_same_step() -> None:
    model, inputs, trusted, step = build(hidden=True)
    weights, labels = torch.rand(B).double(), torch.randn(B, K).double().softmax(1)
    moved = deepcopy(model)
    optimizer = torch.optim.SGD(moved.parameters(), lr=0.3)
    soft_cross_entropy(moved(inputs), labels, weights, normalise="sum").backward()
    optimizer.step()
    after = functional.cross_entropy(moved(trusted["outer"][0]), trusted["outer"][1]).item()
    assert step.after(masses(weights, labels, "sum"), 0.3).item() == pytest.approx(after, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("normalise", EVERY)
@pytest.mark.parametrize("seed", range(3))
def test_the_search_finds_the_optimum_of_a_linear_model(normalise: Normalise, seed: int) -> None:
    torch.manual_seed(seed)
    *_, step = build(hidden=False)
    rate = 2.0

    def loss(flat: np.ndarray) -> float:
        return step.after(torch.from_numpy(flat).view(B, K), rate).item()

    # Convex in v, so that a local solver's optimum is the optimum.
    rows = np.kron(np.eye(B), np.ones((1, K))) if normalise == "batch" else np.ones((1, B * K))
    most = 1 / B if normalise == "batch" else 1.0
    constraint = LinearConstraint(rows, ub=most, lb=most if normalise == "sum" else 0.0)
    start = np.full(B * K, 1 / (B * K))
    twin = minimize(loss, start, method="SLSQP", bounds=[(0, 1)] * (B * K), constraints=constraint, tol=1e-12)
    assert twin.success
    best = min(twin.fun, step.before())
    starts = torch.randn(2, B).double(), torch.randn(2, B, K).double()
    [found] = search(step, torch.tensor([rate]).double(), normalise, starts, 1500)
    assert found.loss == pytest.approx(best, abs=2e-4)
    assert found.loss >= best - 1e-7
    assert found.second >= found.loss
    assert found.loss - best <= found.gap + 1e-9
    assert (found.masses >= 0).all()
    assert found.masses.sum() <= 1 + 1e-9


def test_rates_are_searched_for_apart() -> None:
    *_, step = build(hidden=True)
    starts = torch.randn(2, B).double(), torch.randn(2, B, K).double()
    both = search(step, torch.tensor([0.1, 1.0]).double(), "batch", starts, 30)
    alone = [search(step, torch.tensor([rate]).double(), "batch", starts, 30)[0] for rate in (0.1, 1.0)]
    assert [found.loss for found in both] == pytest.approx([found.loss for found in alone], abs=1e-12)


def test_where_every_step_hurts_none_is_taken() -> None:
    model = nn.Linear(1, 2).double()
    with torch.no_grad():
        model.weight.zero_()
        model.bias.zero_()
    inputs = torch.ones(1, 1).double()
    # Both classes of one place: the undecided model is best, and a step has to take a side or stay.
    trusted = {"outer": (torch.ones(2, 1).double(), torch.tensor([0, 1]))}
    step = one_step(model, inputs, trusted)
    starts = torch.full((1, 1), 3.0).double(), torch.tensor([[[5.0, -5.0]]]).double()
    [found] = search(step, torch.tensor([50.0]).double(), "batch", starts, 1)
    assert found.loss == step.before()
    assert (found.masses == 0).all()


def test_masses_by_hand() -> None:
    weights, labels = torch.tensor([1.0, 0.5]), torch.tensor([[1.0, 0.0], [0.2, 0.8]])
    assert torch.allclose(
        masses(weights, labels, "sum"), torch.tensor([[2.0, 0.0], [0.2, 0.8]]) / 3 * torch.tensor([[1.0], [1.0]])
    )
    assert torch.allclose(masses(weights, labels, "batch"), torch.tensor([[0.5, 0.0], [0.05, 0.2]]))
    assert (masses(torch.zeros(2), labels, "sum") == 0).all()


@pytest.mark.parametrize("normalise", EVERY)
def test_the_gap_is_the_best_corners_gain(normalise: Normalise) -> None:
    *_, step = build(hidden=True)
    at = masses(torch.rand(B).double(), torch.randn(B, K).double().softmax(1), normalise).requires_grad_()
    (gradient,) = torch.autograd.grad(step.after(at, 0.5), at)
    if normalise == "sum":
        corners = [torch.zeros(B * K).double(), *torch.eye(B * K).double()]
    else:
        choices = torch.cartesian_prod(*[torch.arange(K + 1)] * B)
        corners = [functional.one_hot(choice, K + 1)[:, :K].double().flatten() / B for choice in choices]
    twin = max(((at.flatten() - corner) @ gradient.flatten()).item() for corner in corners)
    assert frank_wolfe_gap(step, at.detach(), 0.5, normalise) == pytest.approx(twin, abs=1e-12)
