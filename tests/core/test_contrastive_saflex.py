"""The contract of `ContrastiveSaflex`: one call inside anybody's loop over pairs."""

import copy

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from saflex_cli.core import PRESETS, ContrastiveSaflex, Refined, RefinedPairs, contrastive_loss
from saflex_cli.settings import preset_settings
from tests.core.contrastive_twins import (
    reference_contrastive,
    reference_merged,
    reference_own,
    reference_pair_alignment,
    similarity_of,
)
from tests.core.two_towers import GROUPS, LAST, TwoTowers, pair_problem
from tests.reference import reference_labels, reference_weights

SOLVED = [preset for preset, settings in PRESETS.items() if settings.gumbel_scale == 0]


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def ways(refined: RefinedPairs) -> tuple[Refined, Refined]:
    return refined.images, refined.texts


# What it returns ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction_weights", ["shared", "separate"])
@pytest.mark.parametrize("positives", ["grouped", "diagonal", "uniform"])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_trains(preset, positives, direction_weights):
    """One call, one backward, one optimizer step: shapes fit, and parameters move unless the batch was dropped."""
    problem = pair_problem()
    optimizer = torch.optim.SGD(problem.model.parameters(), lr=0.1)
    before = copy.deepcopy(problem.model.state_dict())
    saflex = ContrastiveSaflex(preset=preset, positives=positives, direction_weights=direction_weights)
    refined = saflex(**problem.call(), generator=seeded())
    refined.loss().backward()
    optimizer.step()
    classes = 3 if positives == "grouped" else len(GROUPS)
    for way in ways(refined):
        assert way.soft_labels.shape == way.logits.shape == (len(GROUPS), classes)
        assert (way.alignment is not None) is PRESETS[preset].needs_outer
    assert refined.loss().isfinite()
    assert refined.label_changed.shape == refined.classes.shape == (len(GROUPS),)
    moved = any(not torch.equal(before[key], p) for key, p in problem.model.named_parameters())
    assert moved is not refined.dropped.item()
    shared = torch.equal(refined.images.sample_weights, refined.texts.sample_weights)
    assert shared or direction_weights == "separate"


def expected_solution(problem, settings):
    """Π, labels and scores of both directions by the twins."""
    groups = problem.groups.tolist()
    own = reference_own(groups, "grouped")
    matrices = [torch.zeros_like(own), torch.zeros_like(own)]
    if settings.needs_outer:
        matrices = reference_pair_alignment(problem, only=LAST if settings.scope == "head" else None)
    similarity = similarity_of(problem.model, problem.images, problem.texts).detach()
    log_probs = [reference_merged(rows, groups, "grouped").softmax(1).log() for rows in (similarity, similarity.T)]
    labels = [
        reference_labels(matrix, log_prob, own, settings, torch.zeros_like(own))
        for matrix, log_prob in zip(matrices, log_probs, strict=True)
    ]
    return own, matrices, log_probs, labels


@pytest.mark.parametrize("preset", SOLVED)
def test_labels_and_separate_weights_are_those_of_each_direction(preset):
    """The formula of the settings, on Π over the classes; the loss is that of Eq. 14 with them."""
    problem, settings = pair_problem(), preset_settings(preset)
    own, matrices, log_probs, labels = expected_solution(problem, settings)
    refined = ContrastiveSaflex(preset=preset, direction_weights="separate")(**problem.call())
    for way, matrix, log_prob, label in zip(ways(refined), matrices, log_probs, labels, strict=True):
        assert_close(way.soft_labels, label)
        assert_close(way.sample_weights, reference_weights(matrix, label, own, settings, log_prob))
    similarity = similarity_of(problem.model, problem.images, problem.texts)
    weights = [way.sample_weights.tolist() for way in ways(refined)]
    assert_close(refined.loss(), reference_contrastive(similarity, GROUPS, labels=labels, weights=weights))


@pytest.mark.parametrize(
    ("preset", "overrides"), [("proximal", {"label_retention": 8.0}), ("weights_only", {}), ("l2rw", {})]
)
def test_shared_weights_are_the_rule_on_the_mean_of_both_directions(preset, overrides):
    problem, settings = pair_problem(), preset_settings(preset, **overrides)
    _, matrices, _, labels = expected_solution(problem, settings)
    refined = ContrastiveSaflex(preset=preset, **overrides)(**problem.call())
    scores = [sum((matrices[way][i] * labels[way][i]).sum().item() for way in range(2)) / 2 for i in range(len(GROUPS))]
    largest = max(scores)
    expected = [max(0.0, score) / largest if preset == "l2rw" else float(score >= 0) for score in scores]
    for way in ways(refined):
        assert_close(way.sample_weights, torch.tensor(expected, dtype=torch.float64))
    assert 0 < refined.weight_sum < len(GROUPS)


def test_the_loss_is_the_pure_function_of_the_features():
    """What a process computes from features that were gathered from all of them."""
    problem = pair_problem()
    refined = ContrastiveSaflex(preset="proximal")(**problem.call())
    encoded = problem.model(problem.images, problem.texts)
    found = contrastive_loss(
        encoded.image_features @ encoded.image_projection,
        encoded.text_features @ encoded.text_projection,
        encoded.logit_scale.exp(),
        problem.groups,
        (refined.images.soft_labels, refined.texts.soft_labels),
        (refined.images.sample_weights, refined.texts.sample_weights),
    )
    assert_close(refined.loss(), found)
    parameters = list(problem.model.parameters())
    for one, other in zip(
        torch.autograd.grad(refined.loss(), parameters), torch.autograd.grad(found, parameters), strict=True
    ):
        assert_close(one, other)


def test_a_batch_without_weight_is_dropped():
    """Where every pair is rejected, the loss and its gradient are zero (E7); one direction alone adds 0."""
    problem = pair_problem()
    refined = ContrastiveSaflex(preset="bootstrap")(**problem.call())
    nothing = {"sample_weights": torch.zeros(len(GROUPS), dtype=torch.float64)}
    images, texts = (Refined(**{**vars(way), **nothing}) for way in ways(refined))
    half = RefinedPairs(images, refined.texts, refined.classes)
    assert_close(half.loss(), refined.texts.loss() / 2)
    assert not half.dropped
    dropped = RefinedPairs(images, texts, refined.classes)
    assert dropped.dropped
    dropped.loss().backward()
    assert dropped.loss().item() == 0
    assert all(parameter.grad.abs().max() == 0 for parameter in problem.model.parameters())


def test_label_changed_in_either_direction():
    """A pair counts where the largest entry of one of its labels is not its own class."""
    refined = ContrastiveSaflex(preset="lp")(**pair_problem().call())
    changed = [way.soft_labels.argmax(1) != refined.classes for way in ways(refined)]
    assert refined.label_changed.tolist() == (changed[0] | changed[1]).tolist()


# The promise ----------------------------------------------------------------------------------------------------------


def outer_loss(model: nn.Module, problem, positives: str) -> float:
    similarity = similarity_of(model, problem.outer_images, problem.outer_texts)
    return reference_contrastive(similarity, problem.outer_groups.tolist(), positives=positives).item()


def loss_drop_rate(problem, refined: RefinedPairs, positives: str, size: float) -> float:
    """(L(θ) − L(θ − ηd)) / η for a step down the batch loss times 2B, in which every entry counts w y."""
    model = copy.deepcopy(problem.model)
    similarity = similarity_of(model, problem.images, problem.texts)
    labels = [way.soft_labels for way in ways(refined)]
    weights = [way.sample_weights.tolist() for way in ways(refined)]
    loss = reference_contrastive(
        similarity, GROUPS, positives=positives, labels=labels, weights=weights, normalise="batch"
    )
    before, parameters = outer_loss(model, problem, positives), list(model.parameters())
    gradients = torch.autograd.grad(2 * len(GROUPS) * loss, parameters)
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.sub_(size * gradient)
    return (before - outer_loss(model, problem, positives)) / size


@pytest.mark.parametrize("positives", ["grouped", "diagonal"])
@pytest.mark.parametrize("preset", ["lp", "theorem1", "l2rw", "paper"])
def test_the_outer_loss_falls_at_the_promised_rate(preset, positives):
    """The rate tends to Σ w y Π over both directions, with an error like η: a tenth for a tenth of the step."""
    problem = pair_problem()
    saflex = ContrastiveSaflex(preset=preset, positives=positives, direction_weights="separate")
    refined = saflex(**problem.call(), generator=seeded())
    promised = sum(
        (way.sample_weights[:, None] * way.soft_labels * way.alignment).sum().item() for way in ways(refined)
    )
    errors = [loss_drop_rate(problem, refined, positives, size) - promised for size in (1e-4, 1e-5)]
    assert abs(errors[1]) < 1e-3 * max(abs(promised), 1e-2)
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.1)


# The outer gradient ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["all", "head"])
def test_the_outer_gradient_is_used_again(scope):
    """Π in the second of two calls is taken along the outer gradient of the first."""
    problem = pair_problem()
    saflex = ContrastiveSaflex(preset="lp", scope=scope, outer_every=2)
    expected = saflex(**problem.call())
    other = {**problem.call(), "outer_images": -problem.outer_images}
    assert_close(saflex(**other).images.alignment, expected.images.alignment)
    fresh = ContrastiveSaflex(preset="lp", scope=scope)(**other)
    assert_close(saflex(**other).images.alignment, fresh.images.alignment)
    assert not torch.equal(fresh.images.alignment, expected.images.alignment)


def test_a_projection_that_thaws_in_between_stands_still_until_the_next():
    """The remembered outer gradient does not know it yet."""
    problem = pair_problem()
    problem.model.text_projection.requires_grad_(requires_grad=False)
    saflex = ContrastiveSaflex(preset="lp", scope="head", outer_every=2)
    expected = saflex(**problem.call()).images.alignment
    problem.model.text_projection.requires_grad_()
    assert_close(saflex(**problem.call()).images.alignment, expected)
    assert (saflex(**problem.call()).images.alignment - expected).abs().max() > 1e-3


def test_a_running_mean_of_outer_gradients():
    """With momentum ½ the second Π is the mean of the two batches' own: Π is linear in the outer gradient."""
    problem = pair_problem()
    other = {**problem.call(), "outer_images": -problem.outer_images}
    saflex = ContrastiveSaflex(preset="lp", outer_momentum=0.5)
    first = saflex(**problem.call()).texts.alignment
    second = ContrastiveSaflex(preset="lp")(**other).texts.alignment
    assert_close(saflex(**other).texts.alignment, (first + second) / 2)


@pytest.mark.parametrize("scope", ["all", "head"])
def test_adams_preconditioner(scope):
    """E15: the outer gradient times 1/(√v̂ + ε); after one step of Adam that is 1/(|gradient| + ε)."""
    problem = pair_problem()
    optimizer = torch.optim.Adam(problem.model.parameters(), lr=0.0, eps=0.1)
    similarity_of(problem.model, problem.images, problem.texts).square().sum().backward()
    optimizer.step()
    found = ContrastiveSaflex(preset="lp", scope=scope, precondition=True)(**problem.call(), optimizer=optimizer)
    factors = {name: 1 / (p.grad.abs() + 0.1) for name, p in problem.model.named_parameters()}
    expected = reference_pair_alignment(problem, only=LAST if scope == "head" else None, preconditioner=factors)
    for way, matrix in zip(ways(found), expected, strict=True):
        assert_close(way.alignment, matrix)


def test_it_serves_one_model_after_another():
    """The outer gradient of another model is not used again."""
    problem = pair_problem()
    saflex = ContrastiveSaflex(preset="lp", outer_every=5)
    saflex(**problem.call())
    other = {**problem.call(), "model": pair_problem(TwoTowers()).model}
    assert_close(saflex(**other).images.alignment, ContrastiveSaflex(preset="lp")(**other).images.alignment)


def test_presets_without_alignment_need_no_outer_data():
    """`bootstrap` takes one forward pass and no outer data."""
    problem, calls = pair_problem(), []
    problem.model.register_forward_hook(lambda *_: calls.append(1))
    outer = {"outer_images": None, "outer_texts": None, "outer_groups": None}
    ContrastiveSaflex(preset="bootstrap")(**{**problem.call(), **outer})
    assert len(calls) == 1


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_the_solution_is_single_precision(preset, dtype):
    """A half-precision model gets Π, labels, weights and loss in single precision."""
    problem = pair_problem()
    call = {name: v.to(dtype) if name in ("images", "outer_images") else v for name, v in problem.call().items()}
    problem.model.to(dtype)
    refined = ContrastiveSaflex(preset=preset)(**call)
    for way in ways(refined):
        assert way.soft_labels.dtype == way.sample_weights.dtype == way.logits.dtype == torch.float32
    refined.loss().backward()


@pytest.mark.parametrize("preset", ["lp", "proximal"])
def test_automatic_mixed_precision(preset):
    """Scope `all` leaves it, scope `head` takes its closed form outside it: Π is near that of full precision."""
    problem = pair_problem()
    problem.model.float()
    call = {n: v.float() if n in ("images", "outer_images") else v for n, v in problem.call().items()}
    exact = ContrastiveSaflex(preset=preset)(**call)
    with torch.autocast("cpu", torch.bfloat16):
        coarse = ContrastiveSaflex(preset=preset)(**call)
    for one, other in zip(ways(coarse), ways(exact), strict=True):
        assert one.alignment.dtype == torch.float32
        assert_close(one.alignment, other.alignment, rtol=0, atol=0.05 * other.alignment.abs().max().item())
    coarse.loss().backward()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("preset", PRESETS)
def test_on_cuda(preset):
    """Groups may stay on the CPU; labels and weights agree with the CPU's."""
    problem = pair_problem()
    call = {name: v if "groups" in name else copy.deepcopy(v).cuda() for name, v in problem.call().items()}
    found = ContrastiveSaflex(preset=preset)(**call, generator=seeded())
    expected = ContrastiveSaflex(preset=preset)(**problem.call(), generator=seeded())
    for one, other in zip(ways(found), ways(expected), strict=True):
        assert_close(one.soft_labels.cpu(), other.soft_labels)
        assert_close(one.sample_weights.cpu(), other.sample_weights)
