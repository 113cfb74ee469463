"""What cannot work with two towers is refused with a message that says what is wrong, and names the argument."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from saflex_cli.core import PRESETS, ContrastiveSaflex, Encoded, contrastive_loss
from saflex_cli.errors import SaflexValueError
from tests.core.contrastive_twins import reference_pair_alignment
from tests.core.two_towers import GROUPS, LAST, Embedded, TwoTowers, pair_problem

WITH_OUTER_DATA = [preset for preset, settings in PRESETS.items() if settings.needs_outer]


# The call -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["outer_images", "outer_texts", "outer_groups"])
@pytest.mark.parametrize("preset", WITH_OUTER_DATA)
def test_missing_outer_data_are_refused(preset, missing):
    with pytest.raises(SaflexValueError, match="needs outer_images, outer_texts and outer_groups"):
        ContrastiveSaflex(preset=preset)(**{**pair_problem().call(), missing: None})


@pytest.mark.parametrize("name", ["groups", "outer_groups"])
@pytest.mark.usefixtures("as_installed")
def test_groups_that_do_not_fit_are_refused(name):
    with pytest.raises(SaflexValueError, match=r"groups must be one whole number for each of the \d pairs, not \(2,\)"):
        ContrastiveSaflex(preset="lp")(**{**pair_problem().call(), name: torch.tensor([0, 1])})


def test_a_call_without_gradients_is_refused():
    with torch.no_grad(), pytest.raises(SaflexValueError, match="where gradients are enabled"):
        ContrastiveSaflex(preset="lp")(**pair_problem().call())


def test_precondition_without_an_optimizer_is_refused():
    with pytest.raises(SaflexValueError, match="precondition needs the optimizer"):
        ContrastiveSaflex(preset="lp", precondition=True)(**pair_problem().call())


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"preset": "papr"}, "unknown preset 'papr'"),
        ({"positives": "diag"}, "positives must be grouped or diagonal or uniform, not 'diag'"),
        ({"direction_weights": "mean"}, "direction_weights must be shared or separate, not 'mean'"),
        ({"preset": "proximal", "head_features": "centred"}, "head_features is of a linear classifier layer"),
        ({"preset": "proximal", "outer_steps": 3}, "outer_steps is of a linear classifier layer"),
        ({"preset": "proximal", "weight_margin": 1.0}, "weight_margin is of a linear classifier layer"),
    ],
    ids=lambda choice: str(choice)[:24],
)
@pytest.mark.usefixtures("as_installed")
def test_choices_without_meaning_are_refused(choice, message):
    with pytest.raises(SaflexValueError, match=message):
        ContrastiveSaflex(**choice)


# The model ------------------------------------------------------------------------------------------------------------


def test_embeddings_without_projections_serve_all_scopes_but_the_head():
    problem = pair_problem(Embedded())
    found, expected = ContrastiveSaflex(preset="lp")(**problem.call()), reference_pair_alignment(problem)
    assert_close((found.images.alignment, found.texts.alignment), expected, rtol=0, atol=1e-10)
    with pytest.raises(SaflexValueError, match="scope head needs image_projection, the model's parameter itself"):
        ContrastiveSaflex(preset="proximal")(**problem.call())


class Wrong(nn.Module):
    def __init__(self, change):
        super().__init__()
        self.towers, self.change = TwoTowers(), change

    def forward(self, images, texts):
        return self.change(self.towers(images, texts))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda out: (out.image_features, out.text_features, out.logit_scale), "must return .*Encoded.* not tuple"),
        (
            lambda out: Encoded(out.image_features[1:], out.text_features, out.logit_scale),
            "every image needs a text: the model returned 4 image features and 5 text features",
        ),
        (
            lambda out: Encoded(
                out.image_features, out.text_features, out.logit_scale, 2 * out.image_projection, out.text_projection
            ),
            "scope head needs image_projection, the model's parameter itself",
        ),
    ],
    ids=["tuple", "counts", "scaled"],
)
@pytest.mark.usefixtures("as_installed")
def test_models_that_return_something_else_are_refused(change, message):
    problem = pair_problem(Wrong(change), outer_groups=GROUPS)
    with pytest.raises(SaflexValueError, match=message):
        ContrastiveSaflex(preset="proximal")(**problem.call())


def test_a_frozen_last_layer_is_refused():
    problem = pair_problem()
    for name in LAST:
        getattr(problem.model, name).requires_grad_(requires_grad=False)
    with pytest.raises(SaflexValueError, match="the projections and the scale are frozen"):
        ContrastiveSaflex(preset="proximal")(**problem.call())


# The loss -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "more", "message"),
    [
        (torch.tensor([0, 1]), {}, r"groups must be one whole number for each of the 3 pairs, not \(2,\)"),
        (torch.tensor([[0], [1], [2]]), {}, r"not \(3, 1\)"),
        (torch.tensor([0.0, 1.0, 2.0]), {}, "torch.float32"),
        (torch.tensor([0, 0, 1]), {"labels": (torch.eye(3), torch.eye(3))}, r"soft labels \(3, 2\), not \(3, 3\)"),
        (torch.tensor([0, 1, 2]), {"positives": "diag"}, "positives must be grouped, diagonal or uniform, not 'diag'"),
    ],
    ids=["length", "column", "float", "labels", "positives"],
)
@pytest.mark.usefixtures("as_installed")
def test_what_does_not_fit_is_refused(groups, more, message):
    with pytest.raises(SaflexValueError, match=message):
        contrastive_loss(torch.ones(3, 2), torch.ones(3, 2), 1.0, groups, **more)


@pytest.mark.usefixtures("as_installed")
def test_an_empty_batch_is_refused():
    with pytest.raises(SaflexValueError, match="groups: the batch is empty"):
        contrastive_loss(torch.ones(0, 2), torch.ones(0, 2), 1.0, torch.zeros(0, dtype=torch.int64))
