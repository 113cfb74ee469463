"""The contract of `Saflex`: one call inside anybody's loop."""

import copy

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from saflex_cli.core import PRESETS, OuterDirection, Saflex, align, alignment
from saflex_cli.errors import SaflexValueError
from tests.core.small_models import BATCH, CLASSES, PROBLEMS, Problem, dropout_mlp, problem_of, smooth_mlp, vectors
from tests.reference import reference_alignment


@pytest.fixture
def problem() -> Problem:
    return problem_of(smooth_mlp(), vectors, "2")


# What it returns ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_every_preset_trains_every_model(name, preset):
    """One call, one backward, one optimizer step: shapes fit, and parameters move unless the batch was dropped."""
    call = PROBLEMS[name]().call()
    optimizer = torch.optim.SGD(call["model"].parameters(), lr=0.1)
    before = copy.deepcopy(call["model"].state_dict())
    refined = Saflex(preset=preset)(**call)
    refined.loss().backward()
    optimizer.step()
    assert refined.soft_labels.shape == refined.logits.shape == (BATCH, CLASSES)
    assert refined.sample_weights.shape == (BATCH,)
    assert refined.loss().isfinite()
    moved = any(not torch.equal(before[key], p) for key, p in call["model"].named_parameters())
    assert moved is not refined.dropped.item()


@pytest.mark.parametrize("preset", PRESETS)
def test_the_alignment_is_handed_out_where_there_is_one(problem, preset):
    """`refined.alignment` is Π for logging and tests; None for presets without it."""
    refined = Saflex(preset=preset)(**problem.call())
    assert (refined.alignment is not None) is PRESETS[preset].needs_outer


def test_lp_follows_the_alignment(problem):
    """Label at the largest Π, weight 1: the linear program's optimum from end to end."""
    refined = Saflex(preset="lp")(**problem.call())
    assert refined.soft_labels.argmax(1).tolist() == refined.alignment.argmax(1).tolist()
    assert refined.sample_weights.tolist() == [1.0] * BATCH


def test_the_head_may_be_named(problem):
    """The layer handed to `Saflex` is the one that is used: a wrong one is refused."""
    named = Saflex(preset="weights_only", head="2")(**problem.call())
    assert torch.equal(named.alignment, Saflex(preset="weights_only")(**problem.call()).alignment)
    with pytest.raises(SaflexValueError, match="no linear layer gives the model's output"):
        Saflex(preset="weights_only", head=problem.model[0])(**problem.call())


def test_upstream_weights_are_multiplied(problem):
    """Weights of the upstream augmentation scale the learned ones."""
    upstream_weights = torch.linspace(0, 1, BATCH, dtype=torch.float64)
    plain = Saflex(preset="weights_only")(**problem.call())
    weighted = Saflex(preset="weights_only")(**problem.call(), upstream_weights=upstream_weights)
    assert_close(weighted.sample_weights, plain.sample_weights * upstream_weights)


def test_label_changed_by_hand(problem):
    """A label has changed where its largest entry is another class than upstream."""
    upstream = torch.tensor([[0.9, 0.1, 0.0], [0.1, 0.2, 0.7], [0.4, 0.6, 0.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    refined = Saflex(preset="lp")(**{**problem.call(), "upstream_labels": upstream})
    found = refined.soft_labels.argmax(1).tolist()
    assert refined.label_changed.tolist() == [a != b for a, b in zip(found, [0, 2, 1, 0], strict=True)]


def test_a_batch_without_weight_is_dropped(problem):
    """Where every sample is rejected, `dropped` says so, and the loss and its gradient are zero (E7)."""
    refined = Saflex(preset="weights_only")(**problem.call(), upstream_weights=torch.zeros(BATCH, dtype=torch.float64))
    refined.loss().backward()
    assert refined.dropped
    assert refined.loss().item() == 0
    assert all(parameter.grad.abs().max() == 0 for parameter in problem.model.parameters())


def test_class_numbers_and_one_hot_rows_are_the_same(problem):
    classes = torch.tensor([0, 2, 1, 1])
    rows = torch.nn.functional.one_hot(classes, CLASSES).double()
    found = [Saflex(preset="proximal")(**{**problem.call(), "upstream_labels": labels}) for labels in (classes, rows)]
    assert torch.equal(found[0].soft_labels, found[1].soft_labels)


@pytest.mark.parametrize("outer", [1, BATCH - 1, 3 * BATCH])
@pytest.mark.parametrize("soft", [False, True])
def test_the_outer_batch_may_be_of_any_size(outer, soft):
    """`proximal` and `weights_only` use the whole outer set: M is not B."""
    problem = problem_of(smooth_mlp(), vectors, "2", outer=outer)
    labels = torch.randn(outer, CLASSES, dtype=torch.float64).softmax(1) if soft else problem.outer_labels
    refined = Saflex(preset="lp")(**{**problem.call(), "outer_labels": labels})
    assert_close(refined.alignment, reference_alignment(problem.model, problem.inputs, problem.outer_inputs, labels))


@pytest.mark.parametrize("classes", [2, 30])
def test_lp_rejects_no_sample(classes):
    """With log-probabilities Σ_k p_k Π_k = 0, so max_k Π_k ≥ 0 (E3): also where p is nearly one-hot and rounded."""
    model = nn.Linear(6, classes)
    nn.init.normal_(model.weight, std=5.0)
    inputs = torch.randn(20_000, 6)
    direction = OuterDirection({"weight": torch.randn(classes, 6), "bias": torch.randn(classes)}, head=model)
    matrix = align(model, inputs, direction).matrix
    assert (matrix.max(1).values >= 0).all()


# The outer gradient ---------------------------------------------------------------------------------------------------


class Counted(nn.Module):
    """Counts its forward passes."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model, self.passes = model, 0

    def forward(self, inputs):
        self.passes += 1
        return self.model(inputs)


def counted_call() -> dict:
    return problem_of(Counted(smooth_mlp()), vectors, "").call()


@pytest.mark.parametrize("scope", ["all", "head"])
@pytest.mark.parametrize(("every", "outer_passes"), [(1, 7), (2, 4), (3, 3), (100, 1)])
def test_the_outer_gradient_is_reused(scope, every, outer_passes):
    """Seven calls take seven training passes, and an outer pass every k-th call only (E10)."""
    saflex, call = Saflex(preset="lp", scope=scope, outer_every=every), counted_call()
    for _ in range(7):
        saflex(**call)
    assert call["model"].passes == 7 + outer_passes


@pytest.mark.parametrize(("outer", "outer_passes"), [(4, 7), (5, 4), (10, 3), (1, 7)])
def test_an_outer_gradient_of_many_samples_is_used_as_long_as_it_takes(outer, outer_passes):
    """With batches of four: once per batch, every second, every third."""
    call = problem_of(Counted(smooth_mlp()), vectors, "", batch=4, outer=outer).call()
    saflex = Saflex(preset="lp", scope="head", outer_every="auto")
    for _ in range(7):
        saflex(**call)
    assert call["model"].passes == 7 + outer_passes


def test_reset_forgets_the_outer_gradient():
    saflex, call = Saflex(preset="lp", outer_every=100), counted_call()
    for _ in range(3):
        saflex(**call)
        saflex.reset()
    assert call["model"].passes == 3 + 3


def test_another_model_has_another_outer_gradient():
    """One instance handed a second model computes that model's own gradient."""
    saflex, first, second = Saflex(preset="lp", outer_every=100), counted_call(), counted_call()
    saflex(**first)
    refined = saflex(**second)
    assert second["model"].passes == 2
    assert_close(refined.alignment, Saflex(preset="lp")(**second).alignment)


def test_the_reused_gradient_is_the_old_one(problem):
    """Π in the second of two calls is taken along the outer gradient of the first, at the new parameters."""
    saflex, call = Saflex(preset="lp", outer_every=2), problem.call()
    saflex(**call)
    other_outer = {**call, "outer_inputs": -call["outer_inputs"], "outer_labels": 2 - call["outer_labels"]}
    assert_close(saflex(**other_outer).alignment, Saflex(preset="lp")(**call).alignment)


def test_presets_without_alignment_need_no_outer_data():
    """`bootstrap` takes one forward pass and no outer data."""
    call = counted_call()
    Saflex(preset="bootstrap")(**{**call, "outer_inputs": None, "outer_labels": None})
    assert call["model"].passes == 1


# Precision and devices ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_the_solution_is_single_precision_or_better(preset, dtype):
    """A bfloat16 model gets Π, labels and weights in single precision, whatever the preset."""
    call = problem_of(smooth_mlp().to(dtype), lambda count: vectors(count).to(dtype), "").call()
    call["upstream_labels"] = torch.tensor([0, 1, 2, 0])
    refined = Saflex(preset=preset)(**call)
    expected = torch.float64 if dtype == torch.float64 else torch.float32
    assert refined.logits.dtype == dtype
    assert refined.soft_labels.dtype == refined.sample_weights.dtype == expected
    assert refined.alignment is None or refined.alignment.dtype == expected
    refined.loss().backward()


def test_bfloat16_is_close_to_double_precision(problem):
    """Π of a bfloat16 copy differs by its 8 bits only."""
    exact = alignment(**problem.arguments()).matrix
    coarse = {name: copy.deepcopy(value) for name, value in problem.arguments().items()}
    coarse["model"].bfloat16()
    coarse |= {name: coarse[name].bfloat16() for name in ("inputs", "outer_inputs")}
    found = alignment(**coarse).matrix.double()
    assert_close(found, exact, rtol=0, atol=0.05 * exact.abs().max().item())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("preset", PRESETS)
def test_on_cuda(preset):
    """Labels may stay on the CPU; Π agrees with the CPU's, and the device's random state advances as in one pass."""
    problem = problem_of(dropout_mlp(), vectors, "4")
    call = problem.call()
    model = copy.deepcopy(call["model"]).cuda().eval()
    call["model"].eval()
    on_device = {**call, "model": model, **{name: call[name].cuda() for name in ("inputs", "outer_inputs")}}
    generators = [torch.Generator().manual_seed(0) for _ in range(2)]
    expected = Saflex(preset=preset)(**call, generator=generators[0])
    found = Saflex(preset=preset)(**on_device, generator=generators[1])
    assert found.soft_labels.is_cuda
    assert_close(found.soft_labels.cpu(), expected.soft_labels)
    assert_close(found.sample_weights.cpu(), expected.sample_weights)
    model.train()
    plain = copy.deepcopy(model)
    torch.cuda.manual_seed(0)
    plain(on_device["inputs"])
    state = torch.cuda.get_rng_state()
    torch.cuda.manual_seed(0)
    Saflex(preset=preset)(**on_device, generator=generators[1])
    assert torch.equal(torch.cuda.get_rng_state(), state)
