"""`outer: clean_pass`: the clean batch's own training pass gives the outer direction, and nothing else changes."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from saflex_cli.experiment.parts import Parts, build_parts
from saflex_cli.seeding import Streams
from saflex_cli.train.optimizer import build_optimizer
from saflex_cli.train.step import Step
from saflex_cli.train.steps import build_step
from tests.recipes import make_recipe

NEAR = {"rtol": 0.0, "atol": 1e-10}
SETTINGS: list[dict[str, Any]] = [
    {"preset": "proximal"},
    {"preset": "weights_only"},
    {"preset": "proximal", "outer_every": 2, "outer_momentum": 0.5},
    {"preset": "paper", "scope": "head", "precondition": True},
]


def parts_of(folder: Path, **method: Any) -> Parts:
    method = {"name": "saflex", "clean_batch": True} | method
    recipe = make_recipe(folder, methods=[method], model={"name": "resnet18", "width": 2})
    return build_parts(recipe, recipe.methods[0].label, 0, None)


def step_of(parts: Parts, model: nn.Module) -> tuple[Step, torch.optim.Optimizer]:
    optimizer = build_optimizer(parts.recipe.optimizer, model)
    step = build_step(
        parts.method,
        model=model,
        splits=parts.splits,
        upstream=parts.upstream,
        batch_size=32,
        epochs=2,
        streams=Streams(0),
        optimizer=optimizer,
    )
    return step, optimizer


def double(parts: Parts) -> nn.Module:
    return parts.model(torch.device("cpu")).double()


def batches(parts: Parts) -> list[tuple[Tensor, Tensor, Tensor]]:
    train = parts.splits.train
    images = train.inputs.double() / 255
    return [(images[at], train.labels[at], at) for at in torch.arange(96).split(32)]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_steps_equal_their_slow_twin(tmp_path: Path, settings: dict[str, Any]) -> None:
    """By hand: a plain pass over the clean batch, then the step of `outer: batch`, whose outer pass leaves no trace."""
    parts = parts_of(tmp_path, outer="clean_pass", **settings)
    model = double(parts)
    twin_model = copy.deepcopy(model)
    step, optimizer = step_of(parts, model)
    twin, twin_optimizer = step_of(parts_of(tmp_path, outer="batch", clean_batch=False, **settings), twin_model)
    for inputs, labels, indices in batches(parts):
        result = step(inputs, labels, indices)
        clean = functional.cross_entropy(twin_model(inputs), labels)
        expected = twin(inputs, labels, indices)
        loss = (expected.loss + clean) / 2
        torch.testing.assert_close(result.loss, loss, **NEAR)
        torch.testing.assert_close(result.weight_sum, expected.weight_sum, **NEAR)
        assert result.changed_labels == expected.changed_labels
        torch.testing.assert_close(dict(model.named_buffers()), dict(twin_model.named_buffers()), **NEAR)
        for part, own in ((loss, twin_optimizer), (result.loss, optimizer)):
            own.zero_grad()
            part.backward()
        for found, reference in zip(model.parameters(), twin_model.parameters(), strict=True):
            torch.testing.assert_close(found.grad, reference.grad, **NEAR)
        for own in (optimizer, twin_optimizer):
            own.step()
    torch.testing.assert_close(model.state_dict(), twin_model.state_dict(), rtol=0.0, atol=1e-6)


def test_running_statistics_are_those_of_two_training_passes(tmp_path: Path) -> None:
    """Clean batch first, then the augmented one; the model runs twice, and no more."""
    parts = parts_of(tmp_path, preset="proximal", outer="clean_pass")
    model = double(parts)
    plain, calls = copy.deepcopy(model), []
    step, _ = step_of(parts, model)
    inputs, labels, indices = batches(parts)[0]
    assert parts.upstream is not None
    augmented = parts.upstream.epoch(Streams(0), 0)(inputs, labels)
    plain(inputs)
    plain(augmented.inputs)
    model.register_forward_hook(lambda *_: calls.append(1))
    step(inputs, labels, indices)
    torch.testing.assert_close(dict(model.named_buffers()), dict(plain.named_buffers()), rtol=0, atol=0)
    assert len(calls) == 2


def test_no_pi_during_warm_up(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, preset="proximal", outer="clean_pass", warm_up=1)
    step, _ = step_of(parts, double(parts))
    changed = []
    for epoch in (0, 1):
        step.begin_epoch(epoch)
        changed.append(int(step(*batches(parts)[0]).changed_labels))
    assert changed[0] == 0
    assert changed[1] > 0
