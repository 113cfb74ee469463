"""Two towers against open_clip's own encoders, and their derivatives against reverse mode."""

import pytest
import torch
from torch.nn.functional import normalize
from torch.testing import assert_close

from saflex_cli.core import ContrastiveSaflex, contrastive_loss
from saflex_cli.core.contrastive_towers import Towers
from saflex_cli.core.directional import OuterDirection, directional_pass
from saflex_cli.errors import DataError, RecipeError, SaflexValueError
from saflex_cli.models.clip.tokens import tokenize
from saflex_cli.models.clip.towers import MEAN, STD, check_forward_derivatives
from tests.models.clip.tiny import TEXTS, original, pictures, towers

GROUPS = torch.tensor([0, 1, 0, 2])


def test_features_and_projections_are_open_clips_embeddings():
    ours, theirs, images = towers(), original(), pictures()
    tokens, standard = ours.tokens(TEXTS), (images / 255 - torch.tensor(MEAN)[:, None, None])
    expected_images = theirs.encode_image(standard / torch.tensor(STD)[:, None, None], normalize=True)
    expected_texts = theirs.encode_text(tokens, normalize=True)
    found = ours(images, tokens)
    assert_close(normalize(found.image_features @ found.image_projection, dim=1), expected_images)
    assert_close(normalize(found.text_features @ found.text_projection, dim=1), expected_texts)
    assert_close(ours.image_tower.embeddings(images), expected_images)
    assert_close(ours.text_tower.embeddings(tokens), expected_texts)
    assert_close(found.similarity(), theirs.logit_scale.exp() * expected_images @ expected_texts.T)
    assert ours.scale.item() == pytest.approx(1 / 0.07)


def test_intensities_are_the_same_images():
    net, images = towers(), pictures()
    assert_close(net.image_tower(images), net.image_tower(images / 255))


def test_a_repeated_caption_is_encoded_once():
    net, seen = towers(), []
    net.text_tower.register_forward_pre_hook(lambda _module, inputs: seen.append(len(inputs[0])))
    found = net(pictures(), net.tokens(TEXTS))
    assert seen == [3]
    assert torch.equal(found.text_features[0], found.text_features[2])


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_forward_derivatives_equal_reverse_mode(mode):
    """The similarities' derivative along a random direction of all parameters, in float64."""
    net = getattr(towers().double(), mode)()
    pair = (pictures().double() / 255, net.tokens(TEXTS))
    model = Towers(net)
    tangents = {name: torch.randn_like(parameter) for name, parameter in model.named_parameters()}
    found = directional_pass(model, pair, OuterDirection(tangents), training_step=True).velocity
    parameters = dict(model.named_parameters())
    for row, column in ((0, 0), (1, 3), (3, 2)):
        gradients = torch.autograd.grad(model(pair)[row, column], list(parameters.values()))
        expected = sum((g * tangents[name]).sum() for name, g in zip(parameters, gradients, strict=True))
        assert_close(found[row, column], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scope", ["all", "head"])
def test_the_core_refines_pairs(scope):
    net = towers()
    tokens = net.tokens(TEXTS)
    refined = ContrastiveSaflex(preset="weights_only", scope=scope)(
        model=net,
        images=pictures(),
        texts=tokens,
        groups=GROUPS,
        outer_images=pictures(),
        outer_texts=tokens,
        outer_groups=GROUPS,
    )
    assert refined.images.alignment.isfinite().all()
    assert refined.images.alignment.abs().max() > 0


def test_bfloat16_and_checkpointing_train_the_same_model():
    images, gradients = pictures(), []
    for changes in ({}, {"grad_checkpointing": True}, {"precision": "bfloat16"}):
        net = towers(**changes)
        with net.autocast():
            found = net(images, net.tokens(TEXTS))
            embeddings = found.image_features @ found.image_projection, found.text_features @ found.text_projection
        assert found.image_features.dtype == (torch.bfloat16 if changes.get("precision") else torch.float32)
        contrastive_loss(*embeddings, net.scale, GROUPS).backward()
        gradients.append(net.image_tower.projection.grad)
    assert_close(gradients[1], gradients[0])
    assert_close(gradients[2], gradients[0], rtol=0.2, atol=0.05 * gradients[0].abs().max().item())


def test_checkpointing_is_refused_where_forward_derivatives_are_needed():
    check_forward_derivatives(towers())
    with pytest.raises(RecipeError, match=r"^model: grad_checkpointing does not go together with .* or scope: head$"):
        check_forward_derivatives(towers(grad_checkpointing=True))


def test_images_of_another_size_are_refused():
    with pytest.raises(SaflexValueError, match=r"^this CLIP takes images of 32 × 32 pixels, not 16 × 32$"):
        towers().image_tower(torch.zeros(1, 3, 16, 32))


def test_tokens_have_a_start_an_end_and_zeros():
    tokens = tokenize(["Zebra", "zebra", ""], 16)
    assert tokens.shape == (3, 16)
    assert torch.equal(tokens[0], tokens[1])
    assert tokens[2].tolist() == [49406, 49407, *[0] * 14]


def test_a_caption_is_never_cut_off():
    assert (tokenize([" ".join(["zebra"] * 14)], 16) > 0).all()
    with pytest.raises(DataError, match=r"^the caption 'zebra zebra .* has 17 tokens .* takes 16: shorten the class"):
        tokenize(["zebra", " ".join(["zebra"] * 15)], 16)
