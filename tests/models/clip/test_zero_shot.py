"""The head made of captions, against loops."""

import pytest
import torch
from torch.testing import assert_close

from saflex_cli.errors import DataError, SaflexValueError
from saflex_cli.models.clip import zero_shot
from saflex_cli.models.clip.zero_shot import zero_shot_head
from tests.models.clip.tiny import CAPTIONS, pictures, towers


def looped_head(net, captions):
    """Normalise every caption's embedding, average, normalise again, scale."""
    rows = []
    for own in captions:
        total = 0.0
        for caption in own:
            embedding = (net.text_tower(net.tokens([caption])) @ net.text_tower.projection)[0]
            total = total + embedding / embedding.norm()
        mean = total / len(own)
        rows.append(net.logit_scale.exp() * mean / mean.norm())
    return torch.stack(rows)


def test_equals_the_loop_and_leaves_the_mode(monkeypatch):
    monkeypatch.setattr(zero_shot, "TEXT_BATCH", 3)
    net = towers().double().train()
    head = zero_shot_head(net, CAPTIONS)
    assert_close(head, looped_head(net, CAPTIONS).detach())
    assert net.training
    assert not head.requires_grad


def test_logits_are_scaled_cosines():
    net, images = towers(), pictures()
    head = zero_shot_head(net, CAPTIONS)
    embeddings = net.image_tower(images) @ net.image_tower.projection
    cosines = torch.nn.functional.cosine_similarity(embeddings[:, None], head[None], dim=2)
    assert_close(net.logits(images, head), net.scale * cosines)
    assert_close(head.norm(dim=1), net.scale.detach().expand(2))


def test_classes_with_one_name_have_one_row():
    head = zero_shot_head(towers(), [CAPTIONS[0], CAPTIONS[1], CAPTIONS[0]])
    assert torch.equal(head[0], head[2])


@pytest.mark.parametrize("captions", [[], [[]], [["one", "two"], ["one"]]])
def test_every_class_needs_as_many_captions(captions):
    with pytest.raises(SaflexValueError, match=r"^captions: every class needs as many, at least one; there are \["):
        zero_shot_head(towers(), captions)


def test_a_caption_that_is_too_long_is_named():
    with pytest.raises(DataError, match="zebra zebra"):
        zero_shot_head(towers(), [["zebra " * 20]])
