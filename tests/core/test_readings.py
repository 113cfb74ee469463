"""E1 to E16: every reading of the paper is reachable, and one call with it equals its slow twin from end to end."""

import ast
import copy
import inspect
import re
from dataclasses import fields
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
import torch
from torch.testing import assert_close

from saflex_cli.core import Saflex, Settings
from saflex_cli.core.solution import gumbel_noise
from saflex_cli.settings import preset_settings
from tests.core.small_models import dropout_mlp, problem_of, vectors
from tests.reference import (
    reference_alignment,
    reference_head_alignment,
    reference_head_terms,
    reference_labels,
    reference_loss,
    reference_weights,
)

VALUES: dict[str, list[Any]] = {
    "scope": ["all", "head", "none"],
    "alignment_of": ["log_prob", "logit", "prob"],
    "alignment_sign": [1, -1],
    "alignment_mode": ["train", "eval"],
    "outer_reduction": ["mean", "sum"],
    "outer_batch_size": ["auto", "all", 8],
    "outer_every": [1, 3, "auto"],
    "outer_balance": [False, True],
    "outer_momentum": [0.0, 0.9],
    "head_features": ["raw", "centred", "correlation"],
    "outer_steps": [1, 5],
    "precondition": [False, True],
    "scale": [0.0, 1.0, 2.5, "rms"],
    "scale_cap": [0.5, 100.0],
    "label_retention": [0.0, 2.0],
    "retention_of": ["soft", "argmax"],
    "model_prior": [0.0, 1.0],
    "gumbel_scale": [0.0, 1.0],
    "temperature": [0.0, 0.01, 1.0],
    "refine_labels": [True, False],
    "weight_rule": ["agreement", "printed_sum", "upstream_agreement", "joint", "relu", "none"],
    "weight_margin": [0.0, 0.5],
    "weight_test_of": ["alignment", "retained"],
    "simplex_weights": [False, True],
    "normalise": ["sum", "batch"],
    "warm_up": [0, 3],
    "label_retention_end": [None, 1.0],
}
"""Every field with values that between them reach every branch."""

AMBIGUITIES = {
    "E1": {"alignment_sign"},
    "E2": {"alignment_of"},
    "E3": {"weight_rule"},
    "E4": {"label_retention"},
    "E5": {"gumbel_scale"},
    "E6": {"simplex_weights"},
    "E7": set(),  # no choice: a batch without weight is dropped (test_losses.py, test_saflex.py)
    "E8": set(),  # the clean batch is added by the training loop
    "E9": {"alignment_mode"},
    "E10": {"outer_batch_size", "outer_every"},
    "E11": {"outer_reduction"},
    "E12": {"weight_test_of"},
    "E13": {"retention_of"},
    "E14": set(),  # no choice: Π is taken at the parameters that the step starts from (test_first_order.py)
    "E15": {"precondition"},
    "E16": {"normalise"},
}

BASE = {"label_retention": 0.7, "model_prior": 0.3, "gumbel_scale": 0.2, "temperature": 0.5}
"""A reading in which every other field shows."""

NEEDED_WITH = (
    {
        ("scope", "none"): {"scale": 0.0, "weight_rule": "none"},
        ("scale_cap", 0.5): {"scale": "rms"},
        ("scale_cap", 100.0): {"scale": "rms"},
    }
    | {("weight_rule", value): {"label_retention": 3.0, "scale": 3.0} for value in VALUES["weight_rule"]}
    | {
        (field, value): {"scope": "head", "alignment_sign": -1}
        for field in ("head_features", "outer_steps", "weight_margin")
        for value in VALUES[field]
    }
)
INVISIBLE_IN_ONE_CALL = {"outer_batch_size", "outer_every"}  # test_saflex.py counts the outer passes
INVISIBLE_IN_ONE_CALL |= {"outer_momentum", "warm_up", "label_retention_end"}  # test_mending.py, train/test_steps.py

CASES = [(field, value) for field, values in VALUES.items() for value in values]


def documented_ambiguities() -> dict[str, set[str]]:
    """The fields of `Settings` whose docstrings name each E-number, read from the source."""
    body = ast.parse(inspect.getsource(Settings)).body[0].body
    found: dict[str, set[str]] = {}
    for field, docstring in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(docstring, ast.Expr):
            for number in re.findall(r"\bE\d+\b", ast.unparse(docstring)):
                found.setdefault(number, set()).add(ast.unparse(field.target))
    return found


def test_every_field_is_covered():
    """A new field must be added to `VALUES`."""
    assert set(VALUES) == {field.name for field in fields(Settings)}


def test_every_choice_is_covered():
    """A new choice of a field must be added to `VALUES`."""
    for name, hint in get_type_hints(Settings).items():
        parts = [hint, *get_args(hint)]
        choices = {choice for part in parts if get_origin(part) is Literal for choice in get_args(part)}
        choices |= {True, False} if hint is bool else set()
        assert choices <= set(VALUES[name]), name


def test_every_ambiguity_is_covered():
    """E1 to E16 are all accounted for, by the fields whose docstrings name them."""
    assert list(AMBIGUITIES) == [f"E{number}" for number in range(1, 17)]
    assert documented_ambiguities() == {name: fields for name, fields in AMBIGUITIES.items() if fields}


def settings_with(field: str, value: Any) -> Settings:
    return preset_settings("paper", **{**BASE, **NEEDED_WITH.get((field, value), {}), field: value})


def adam_after_two_steps(model: torch.nn.Module) -> tuple[torch.optim.Adam, dict[str, torch.Tensor]]:
    """An optimizer with a history, and 1 / (√v̂ + ε) from that history, worked out from Adam's definition."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.99), eps=1e-3)
    history = [{name: torch.randn_like(p) for name, p in model.named_parameters()} for _ in range(2)]
    for gradients in history:
        for name, parameter in model.named_parameters():
            parameter.grad = gradients[name]
        optimizer.step()
    optimizer.zero_grad()
    preconditioner = {}
    for name in history[0]:
        second_moment = 0.01 * (0.99 * history[0][name] ** 2 + history[1][name] ** 2)
        preconditioner[name] = 1 / ((second_moment / (1 - 0.99**2)).sqrt() + 1e-3)
    return optimizer, preconditioner


def twin(problem, settings: Settings, preconditioner, seed: int):
    """Labels, weights and loss of one call, from the references alone."""
    call = problem.call()
    upstream = call.pop("upstream_labels")
    measured = copy.deepcopy(problem.model)
    if settings.alignment_mode == "eval":
        measured.eval()
    with torch.random.fork_rng():
        log_probs = measured(problem.inputs).softmax(1).log().detach()
    with torch.random.fork_rng():
        logits = copy.deepcopy(problem.model)(problem.inputs).detach()
    options = {
        "of": settings.alignment_of,
        "sign": settings.alignment_sign,
        "mode": settings.alignment_mode,
        "reduction": settings.outer_reduction,
        "balance": settings.outer_balance,
    }
    terms = reference_head_terms(
        head_name=problem.head, **call, view=settings.head_features, steps=settings.outer_steps
    )
    if settings.scope == "all":
        precondition = preconditioner if settings.precondition else None
        matrix = reference_alignment(**call, **options, preconditioner=precondition)
    elif settings.head_features != "raw" or settings.outer_steps > 1:
        matrix = settings.alignment_sign * terms.mean(1)
    elif settings.scope == "head":
        matrix = reference_head_alignment(head_name=problem.head, **call, **options)
    else:
        matrix = torch.zeros_like(logits)
    noise = gumbel_noise(matrix, torch.Generator().manual_seed(seed))
    labels = reference_labels(matrix, log_probs, upstream, settings, noise)
    weights = reference_weights(matrix, labels, upstream, settings, log_probs, terms)
    return labels, weights, reference_loss(logits, labels, weights, normalise=settings.normalise)


@pytest.fixture
def problem():
    """BatchNorm and dropout in training mode, so that the mode of Π matters; samples enough that the rules differ."""
    return problem_of(dropout_mlp(), vectors, "4", batch=16, outer=12)


@pytest.mark.parametrize(("field", "value"), CASES, ids=[f"{field}-{value}" for field, value in CASES])
def test_one_call_equals_its_twin(problem, field, value):
    """Labels, weights and loss of `Saflex` with this value, from end to end."""
    settings = settings_with(field, value)
    optimizer, preconditioner = adam_after_two_steps(problem.model)
    labels, weights, loss = twin(problem, settings, preconditioner, seed=3)
    overrides = {name.name: getattr(settings, name.name) for name in fields(settings)}
    generator = torch.Generator().manual_seed(3)
    refined = Saflex(preset="paper", **overrides)(**problem.call(), generator=generator, optimizer=optimizer)
    assert_close(refined.soft_labels, labels)
    assert_close(refined.sample_weights, weights)
    assert_close(refined.loss().detach(), loss)


@pytest.mark.slow
@pytest.mark.parametrize("field", [field for field in VALUES if field not in INVISIBLE_IN_ONE_CALL])
def test_every_field_shows(problem, field):
    """No two values of a field give the same labels, weights and loss: a field ignored would be noticed above."""
    _, preconditioner = adam_after_two_steps(problem.model)
    outcomes = [twin(problem, settings_with(field, value), preconditioner, seed=3) for value in VALUES[field]]
    seen = {tuple(torch.cat([part.flatten() for part in outcome]).tolist()) for outcome in outcomes}
    assert len(seen) == len(outcomes)
