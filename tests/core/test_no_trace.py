"""Measuring leaves nothing behind, and `Saflex` leaves exactly what one `model(inputs)` would."""

import copy
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from saflex_cli.core import PRESETS, Saflex, alignment, soft_cross_entropy
from tests.core.small_models import PROBLEMS, dropout_mlp, problem_of, randomised, smooth_mlp, torchvision_vit, vectors

TRAINED = ["conv", "conv-frozen-norm", "dropout", "timm-vit", "torchvision-vit", "never-at-rest"]
EXACT = {"rtol": 0.0, "atol": 1e-12}


@dataclass(frozen=True)
class Trace:
    """Everything that a forward pass may change besides its output."""

    buffers: dict[str, Tensor]
    random_state: Tensor
    training: dict[str, bool]
    gradients: dict[str, Tensor | None]


def trace_of(model: nn.Module) -> Trace:
    return Trace(
        buffers={name: buffer.clone() for name, buffer in model.named_buffers()},
        random_state=torch.get_rng_state(),
        training={name: module.training for name, module in model.named_modules()},
        gradients={name: None if p.grad is None else p.grad.clone() for name, p in model.named_parameters()},
    )


def assert_same_trace(found: Trace, expected: Trace) -> None:
    for name, buffer in expected.buffers.items():
        assert torch.equal(found.buffers[name], buffer), f"buffer {name} moved"
    assert torch.equal(found.random_state, expected.random_state), "the global random state moved"
    assert found.training == expected.training
    assert_close(found.gradients, expected.gradients, rtol=0, atol=0)


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("scope", ["all", "head"])
@pytest.mark.parametrize("name", TRAINED)
def test_measuring_leaves_no_trace(name, scope, mode):
    """`alignment` changes no running statistic, random state, training flag or gradient."""
    problem = PROBLEMS[name]()
    problem.model(problem.inputs).sum().backward()  # gradients to preserve
    before = trace_of(problem.model)
    alignment(**problem.arguments(), scope=scope, mode=mode)
    assert_same_trace(trace_of(problem.model), before)


def test_layers_with_state_of_their_own_leave_no_trace():
    """Spectral normalisation moves its buffers in every training forward pass, but not while Π is measured."""
    model = randomised(nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)))
    torch.nn.utils.parametrizations.spectral_norm(model[0])
    problem, before = problem_of(model, vectors, "2"), trace_of(model)
    alignment(**problem.arguments(), scope="head")
    assert_same_trace(trace_of(model), before)


def test_a_failure_leaves_no_trace():
    """An error inside the forward pass does not leave the model in evaluation mode or the random state advanced."""
    problem = PROBLEMS["dropout"]()
    before = trace_of(problem.model)
    with pytest.raises(RuntimeError):
        alignment(**{**problem.arguments(), "inputs": torch.zeros(4, 7, dtype=torch.float64)}, mode="eval")
    assert_same_trace(trace_of(problem.model), before)


def saflex_call(problem, preset, mode):
    """One call with its own generator for the Gumbel noise, which else comes from the global stream."""
    return Saflex(preset=preset, alignment_mode=mode)(**problem.call(), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", TRAINED)
def test_a_call_is_one_forward_pass(name, preset, mode):
    """Buffers, random state, flags and logits after `Saflex` are those after `model(inputs)`, for every preset."""
    problem = PROBLEMS[name]()
    plain = copy.deepcopy(problem.model)
    with torch.random.fork_rng():
        logits = plain(problem.inputs)
        expected = trace_of(plain)
    refined = saflex_call(problem, preset, mode)
    assert_same_trace(trace_of(problem.model), expected)
    assert_close(refined.logits, logits, **EXACT)


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", ["conv", "dropout", "timm-vit"])
def test_gradients_are_those_of_a_plain_step(name, preset, mode):
    """Backward through `refined.loss()` equals backward through `model(inputs)` and the same weighted loss."""
    problem = PROBLEMS[name]()
    plain = copy.deepcopy(problem.model)
    with torch.random.fork_rng():
        logits = plain(problem.inputs)
    refined = saflex_call(problem, preset, mode)
    refined.loss().backward()
    soft_cross_entropy(logits, refined.soft_labels, refined.sample_weights).backward()
    for (parameter_name, found), expected in zip(problem.model.named_parameters(), plain.parameters(), strict=True):
        assert_close(found.grad, expected.grad, **EXACT, msg=parameter_name)


@pytest.mark.parametrize("preset", PRESETS)
def test_labels_and_weights_are_constants(preset):
    """The loss differentiates neither the labels nor the weights."""
    refined = saflex_call(PROBLEMS["conv"](), preset, "train")
    assert not any(
        part.requires_grad for part in (refined.soft_labels, refined.sample_weights, refined.upstream_labels)
    )


def test_the_outer_pass_has_dropout_masks_of_its_own():
    """Outer and augmented pass must not share masks: with the same samples in both, the two passes still differ."""
    model = dropout_mlp()
    inputs = vectors(4)
    seen = []
    model[-1].register_forward_pre_hook(lambda _module, arguments: seen.append(arguments[0] == 0))
    alignment(model, inputs, inputs, torch.tensor([0, 1, 2, 0]), scope="head")
    outer_mask, training_mask = seen
    assert not torch.equal(outer_mask, training_mask)


def test_a_seeded_run_is_repeatable():
    """The outer pass has a stream of its own that is a function of the global one."""
    problem = problem_of(torchvision_vit(), lambda n: torch.randn(n, 3, 16, 16, dtype=torch.float64), "heads.head")
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        found.append(alignment(**problem.arguments()).matrix)
    assert torch.equal(*found)


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("preset", PRESETS)
def test_autocast_loses_no_gradient(preset, mode):
    """Inside autocast, a pass without gradients must not leave cached casts behind that cut the training graph."""
    call = problem_of(smooth_mlp().float(), lambda n: vectors(n).float(), "2").call()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        refined = Saflex(preset=preset, alignment_mode=mode)(**call)
        loss = soft_cross_entropy(refined.logits, refined.upstream_labels.to(refined.logits))
    loss.backward()
    assert [name for name, parameter in call["model"].named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("preset", PRESETS)
def test_what_autocast_does_to_the_logits(preset):
    """Scope `all` leaves autocast, in which some forward derivatives fail; every other call stays in it."""
    call = problem_of(smooth_mlp().float(), lambda n: vectors(n).float(), "2").call()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        refined = Saflex(preset=preset)(**call)
    assert refined.logits.dtype == (torch.float32 if PRESETS[preset].scope == "all" else torch.bfloat16)
