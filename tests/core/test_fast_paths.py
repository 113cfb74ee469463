"""Every fast path against the slow one it replaces: same logits, Π, labels, weights, gradients, running statistics.

The slow path of a step takes Π in passes of its own that leave no trace, and then makes the plain training pass.
"""

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp
from torch.nn.modules.batchnorm import _BatchNorm
from torch.testing import assert_close

from saflex_cli.core import PRESETS, Refined, Saflex, outer_direction, recorded_pass
from saflex_cli.core.alignment import Alignment, alignment, alignment_from
from saflex_cli.core.directional import DirectionalPass, _load_derivative_rules
from saflex_cli.core.passes import differentiable_attention
from saflex_cli.core.saflex import refine
from saflex_cli.errors import SaflexValueError
from tests.core.small_models import PROBLEMS, Problem

NAMES = ["conv", "conv-frozen-norm", "dropout", "timm-vit", "torchvision-vit", "saint", "tuple", "never-at-rest"]
WITHOUT_DROPOUT = ["conv", "conv-eval", "conv-frozen-norm", "timm-vit", "dict"]
DERIVABLE = [name for name in NAMES if name not in ("torchvision-vit", "never-at-rest")]
"""Of the others `jvp` draws the dropout in another way, or refuses it."""
HEAD = [name for name, settings in PRESETS.items() if settings.scope == "head"]
ALL = [name for name, settings in PRESETS.items() if settings.scope == "all"]
NEAR = {"rtol": 0.0, "atol": 1e-10}


def noise() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def buffers(model: nn.Module) -> Mapping[str, Tensor]:
    return {name: buffer.clone() for name, buffer in model.named_buffers()}


def check_step(fast: Refined, slow: Refined, model: nn.Module, plain: nn.Module) -> None:
    """Everything that a step gives or changes."""
    for part in ("logits", "alignment", "soft_labels", "sample_weights"):
        assert_close(getattr(fast, part), getattr(slow, part), **NEAR, msg=part)
    assert_close(buffers(model), buffers(plain), **NEAR)
    fast.loss().backward()
    slow.loss().backward()
    for (name, found), expected in zip(model.named_parameters(), plain.parameters(), strict=True):
        assert_close(found.grad, expected.grad, **NEAR, msg=name)


def slow_step(problem: Problem, preset: str, found: Alignment) -> tuple[Refined, nn.Module]:
    """The plain training pass in a copy of the model, and the solution for a Π that is known already."""
    plain = copy.deepcopy(problem.model)
    with torch.random.fork_rng():
        logits = plain(problem.inputs)
    refined = refine(found, problem.upstream_labels, None, PRESETS[preset], generator=noise())
    return Refined(**(vars(refined) | {"logits": logits})), plain


@pytest.mark.parametrize("preset", HEAD)
@pytest.mark.parametrize("name", NAMES)
def test_the_head_from_the_training_pass(name, preset):
    """Scope `head`: features of the step's own pass, against Π measured in passes that leave no trace."""
    problem = PROBLEMS[name]()
    slow, plain = slow_step(problem, preset, alignment(**problem.arguments(), scope="head"))
    fast = Saflex(preset=preset)(**problem.call(), generator=noise())
    check_step(fast, slow, problem.model, plain)


def derivative_by_itself(problem: Problem, tangents: Mapping[str, Tensor]) -> DirectionalPass:
    """`torch.func.jvp` of a copy of the model, under the dropout masks of the training pass."""
    _load_derivative_rules()  # with torch's warning about its own code silenced
    copied = copy.deepcopy(problem.model)
    for module in copied.modules():
        if isinstance(module, _BatchNorm) and module.training:
            module.running_mean = module.running_var = module.num_batches_tracked = None  # jvp refuses their update
    fixed = {name: p for name, p in copied.named_parameters() if name not in tangents}
    moved = {name: p for name, p in copied.named_parameters() if name in tangents}
    with torch.random.fork_rng(), differentiable_attention():
        logits, velocity = jvp(
            lambda parameters: functional_call(copied, {**fixed, **parameters}, (problem.inputs,)),
            (moved,),
            (dict(tangents),),
        )
    return DirectionalPass(logits.detach(), velocity.detach())


@pytest.mark.parametrize("preset", ALL)
@pytest.mark.parametrize("name", DERIVABLE)
def test_the_dual_pass_shared_with_the_loss(name, preset):
    """Scope `all`: one pass with dual numbers, against a derivative by itself and the plain training pass."""
    problem = PROBLEMS[name]()
    direction = outer_direction(problem.model, problem.outer_inputs, problem.outer_labels)
    settings = PRESETS[preset]
    derived = derivative_by_itself(problem, direction.tangents)
    found = alignment_from(derived, settings.alignment_of, settings.alignment_sign)
    slow, plain = slow_step(problem, preset, found)
    fast = Saflex(preset=preset)(**problem.call(), generator=noise())
    check_step(fast, slow, problem.model, plain)


def counted(model: nn.Module) -> list[int]:
    """Grows with every forward pass."""
    calls: list[int] = []
    model.register_forward_hook(lambda *_: calls.append(1))
    return calls


@pytest.mark.parametrize("changes", [{"preset": "proximal"}, {"preset": "weights_only"}, {"preset": "lp"}], ids=str)
@pytest.mark.parametrize("name", WITHOUT_DROPOUT)
def test_an_outer_gradient_used_again(name: str, changes: dict[str, Any]):
    """`outer_every`: while no parameter moves, using it again is computing it anew, with fewer passes."""
    problem = PROBLEMS[name]()
    again, anew = copy.deepcopy(problem.model), problem.model
    reusing, computing = Saflex(**changes, outer_every=3), Saflex(**changes)
    passes, all_passes = counted(again), counted(anew)
    for _ in range(3):
        for model in (again, anew):
            model.zero_grad()
        fast = reusing(**{**problem.call(), "model": again}, generator=noise())
        slow = computing(**problem.call(), generator=noise())
        check_step(fast, slow, again, anew)
    assert (len(passes), len(all_passes)) == (4, 6)


def test_while_an_outer_gradient_is_used_again_no_outer_samples_are_needed():
    """The call that is not `is_due` makes of no outer samples what it makes of any; the first one and the next due
    one refuse."""
    problem = PROBLEMS["conv-eval"]()
    saflex, without = Saflex(preset="proximal", outer_every=2), {"outer_inputs": None, "outer_labels": None}
    sizes = len(problem.outer_labels), len(problem.upstream_labels)
    found, due = [], []
    for change in ({}, without):
        due.append(saflex.is_due(problem.model, *sizes))
        found.append(saflex(**(problem.call() | change), generator=noise()))
    assert due == [True, False]
    assert saflex.is_due(problem.model, *sizes)
    assert saflex.is_due(copy.deepcopy(problem.model), *sizes)
    assert_close(found[0].soft_labels, found[1].soft_labels, **NEAR)
    with pytest.raises(SaflexValueError, match="needs outer_inputs and outer_labels"):
        saflex(**(problem.call() | without), generator=noise())


@pytest.mark.parametrize("preset", HEAD)
@pytest.mark.parametrize("name", WITHOUT_DROPOUT)
def test_a_pass_made_anyway_used_again(name: str, preset: str):
    """`outer_pass` with `outer_every`: the direction of an earlier pass serves the steps after it."""
    problem = PROBLEMS[name]()
    call = {key: value for key, value in problem.call().items() if key != "outer_inputs"}
    saflex, found = Saflex(preset=preset, outer_every=2), []
    for _ in range(2):
        passed = recorded_pass(problem.model, problem.outer_inputs)
        found.append(saflex(**call, outer_pass=passed, generator=noise()))
    assert_close(found[0].alignment, found[1].alignment, **NEAR)
    assert_close(found[0].soft_labels, found[1].soft_labels, **NEAR)
