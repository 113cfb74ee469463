"""Π of a batch of pairs: dual numbers and the closed form of the projections against reverse mode, entry by entry."""

import copy
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from saflex_cli.core import ContrastiveSaflex, Encoded
from saflex_cli.core.contrastive_towers import Towers, projection_direction, projection_pass, projection_velocity
from saflex_cli.core.directional import directional_pass
from tests.core.contrastive_twins import reference_pair_alignment, similarity_of
from tests.core.two_towers import GROUPS, LAST, MODELS, DistinctCaptions, captions, pair_problem

POSITIVES = ["grouped", "diagonal", "uniform"]
NEAR = {"rtol": 0.0, "atol": 1e-10}


def found_alignment(problem, **choices):
    """Π of both directions, as `ContrastiveSaflex` finds it."""
    preset = "weights_only" if choices.get("scope") == "head" else "lp"
    refined = ContrastiveSaflex(preset=preset, **choices)(**problem.call())
    return refined.images.alignment, refined.texts.alignment


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other, **NEAR)


@pytest.mark.parametrize("positives", POSITIVES)
@pytest.mark.parametrize("scope", ["all", "head"])
@pytest.mark.parametrize("name", MODELS)
def test_equals_reverse_mode(name, scope, positives):
    """Every entry is −⟨g, ∇ log q⟩, over all parameters or the projections and the scale."""
    problem = pair_problem(MODELS[name]())
    expected = reference_pair_alignment(problem, positives=positives, only=LAST if scope == "head" else None)
    assert_same(found_alignment(problem, scope=scope, positives=positives), expected)
    assert expected[0].abs().max() > 1e-3


@pytest.mark.parametrize("scope", ["all", "head"])
@pytest.mark.parametrize(
    ("choices", "reference"),
    [
        ({"alignment_of": "logit"}, {"of": "logit"}),
        ({"alignment_of": "prob"}, {"of": "prob"}),
        ({"alignment_sign": -1}, {"sign": -1}),
        ({"outer_reduction": "sum"}, {"reduction": "sum"}),
        ({"outer_balance": True}, {"shares": [1 / 6, 1 / 3, 1 / 6, 1 / 3]}),
    ],
    ids=str,
)
def test_every_reading_of_it(scope, choices, reference):
    """E1, E2 and E11; and outer classes of equal share, of which one has two pairs."""
    problem = pair_problem()
    expected = reference_pair_alignment(problem, only=LAST if scope == "head" else None, **reference)
    assert_same(found_alignment(problem, scope=scope, **choices), expected)


@settings(max_examples=12)
@given(
    groups=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    outer_groups=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    scope=st.sampled_from(["all", "head"]),
    positives=st.sampled_from(POSITIVES),
)
def test_any_size_and_pattern(groups, outer_groups, scope, positives):
    problem = pair_problem(groups=groups, outer_groups=outer_groups)
    expected = reference_pair_alignment(problem, positives=positives, only=LAST if scope == "head" else None)
    assert_same(found_alignment(problem, scope=scope, positives=positives), expected)


@pytest.mark.parametrize("scope", ["all", "head"])
@pytest.mark.parametrize(
    ("groups", "outer_groups"), [([4], GROUPS), ([4, 4, 4], GROUPS), (GROUPS, [2]), (GROUPS, [2, 2])], ids=str
)
def test_one_class_has_nothing_to_learn(groups, outer_groups, scope):
    """A batch of one class has log q = 0, and an outer batch of one class no gradient: Π is 0, not NaN."""
    for matrix in found_alignment(pair_problem(groups=groups, outer_groups=outer_groups), scope=scope):
        assert_close(matrix, torch.zeros_like(matrix), **NEAR)


@pytest.mark.parametrize("scope", ["all", "head"])
def test_frozen_parameters_do_not_count(scope):
    problem = pair_problem()
    problem.model.text_projection.requires_grad_(requires_grad=False)
    problem.model.logit_scale.requires_grad_(requires_grad=False)
    expected = reference_pair_alignment(problem, only={"image_projection"} if scope == "head" else None)
    assert_same(found_alignment(problem, scope=scope), expected)


@pytest.mark.parametrize("scope", ["all", "head"])
def test_one_projection_may_serve_both_towers(scope):
    problem = pair_problem()
    problem.model.text_projection = problem.model.image_projection
    expected = reference_pair_alignment(problem, only=LAST if scope == "head" else None)
    assert_same(found_alignment(problem, scope=scope), expected)


@pytest.mark.parametrize("scope", ["all", "head"])
def test_captions_may_be_encoded_once(scope):
    """A model that gathers the rows of distinct captions gives the same Π and loss."""
    problem = pair_problem()
    distinct = DistinctCaptions().double()
    distinct.load_state_dict(problem.model.state_dict())
    once = {"texts": (captions([0, 1, 2, 3]), problem.groups), "model": distinct}
    once["outer_texts"] = (captions([0, 1, 2, 3]), problem.outer_groups)
    preset = ContrastiveSaflex(preset="lp", scope=scope)
    expected, found = preset(**problem.call()), preset(**{**problem.call(), **once})
    assert_close(found.images.alignment, expected.images.alignment, **NEAR)
    assert_close(found.loss(), expected.loss(), **NEAR)


# The parts ------------------------------------------------------------------------------------------------------------


def test_both_derivatives_agree_along_any_direction():
    """The closed form of the projections is dual numbers with the same tangents, for short and long embeddings."""
    problem = pair_problem()
    towers, pair = Towers(problem.model), (problem.images, problem.texts)
    direction = projection_direction(towers, pair, lambda similarity: similarity[0].sum())
    assert direction.tangents.keys() == {f"model.{name}" for name in LAST}
    dual = directional_pass(towers, pair, direction, training_step=True)
    closed = projection_pass(towers, pair, direction, training_step=True)
    assert_close(closed.velocity, dual.velocity, **NEAR)
    assert torch.equal(closed.logits, dual.logits)
    assert_close(closed.logits, similarity_of(problem.model, *pair))


def test_the_tangent_through_the_normalisation_by_hand():
    """x = (1, 0), P = 2·1, Ṗ a turn by 90°: g = (1, 0) turns by ½, so that ṡ against texts (1, 0), (0, 1) is 0, ½."""
    eye = torch.eye(2, dtype=torch.float64)
    encoded = Encoded(eye[:1].repeat(2, 1), eye, torch.zeros(()).double(), 2 * eye, eye)
    turn = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    found = projection_velocity(encoded, {"image_projection": turn})
    assert_close(found, torch.tensor([[0.0, 0.5], [0.0, 0.5]], dtype=torch.float64))


def test_the_direction_is_minus_the_gradient():
    """From a graph-free pass, the gradient of the outer loss with respect to projections and scale."""
    problem = pair_problem()
    pair = problem.outer_images, problem.outer_texts
    found = projection_direction(Towers(problem.model), pair, lambda similarity: similarity.diagonal().square().sum())
    parameters = dict(problem.model.named_parameters())
    loss = similarity_of(problem.model, *pair).diagonal().square().sum()
    for name in LAST:
        assert_close(
            found.tangents[f"model.{name}"], -torch.autograd.grad(loss, parameters[name], retain_graph=True)[0]
        )


# No trace -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("scope", ["all", "head", "none"])
def test_the_call_is_the_training_forward(scope, mode):
    """Similarities, running statistics, modes and random state are those of `model(images, texts)`, once."""
    problem = pair_problem(MODELS["norm-dropout"]())
    plain, state = copy.deepcopy(problem.model), torch.get_rng_state()
    expected = similarity_of(plain, problem.images, problem.texts)
    after = torch.get_rng_state()
    torch.set_rng_state(state)
    preset = {"all": "lp", "head": "proximal", "none": "bootstrap"}[scope]
    refined = ContrastiveSaflex(preset=preset, positives="diagonal", alignment_mode=mode)(**problem.call())
    assert_close(refined.images.logits, expected)
    assert_close(refined.texts.logits, expected.T)
    assert torch.equal(torch.get_rng_state(), after)
    assert_close(dict(problem.model.named_buffers()), dict(plain.named_buffers()))
    assert all(module.training for module in problem.model.modules())
    assert all(parameter.grad is None for parameter in problem.model.parameters())


@pytest.mark.parametrize("scope", ["all", "head"])
def test_evaluation_mode(scope):
    """E9: Π is that of the model in evaluation mode."""
    problem = pair_problem(MODELS["norm-dropout"]())
    at_rest = replace(problem, model=copy.deepcopy(problem.model).eval())
    expected = reference_pair_alignment(at_rest, only=LAST if scope == "head" else None)
    assert_same(found_alignment(problem, scope=scope, alignment_mode="eval"), expected)
