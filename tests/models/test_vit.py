"""The small vision transformer."""

import pytest
import torch
from pydantic import ValidationError

from saflex_cli.config import components
from saflex_cli.core import alignment
from saflex_cli.errors import RecipeError
from saflex_cli.models.build import build_model
from saflex_cli.models.vit import Vit
from saflex_cli.seeding import Streams


def made() -> Vit:
    torch.manual_seed(0)
    return Vit(shape=(1, 8, 12), classes=3, patch=4, dim=8, depth=2, heads=2)


def test_patches_have_places_and_the_class_token_sees_them_all() -> None:
    net, images = made(), torch.randn(2, 1, 8, 12)
    assert net.places.shape == (7, 8)
    assert len(net.feature_layers()) == 2
    logits = net(images)
    assert logits.shape == (2, 3)
    for row, column in ((0, 0), (4, 8)):
        moved = images.clone()
        moved[0, 0, row, column] += 1
        assert not torch.equal(net(moved)[0], logits[0])
        torch.testing.assert_close(net(moved)[1], logits[1])


def test_samples_do_not_see_each_other_and_places_matter() -> None:
    net, images = made(), torch.randn(2, 1, 8, 12)
    torch.testing.assert_close(net(images)[1:], net(images[1:]))
    assert not torch.allclose(net(images.roll(4, dims=3)), net(images), atol=1e-5)


def test_both_scopes_of_the_alignment_work() -> None:
    net, images, labels = made(), torch.randn(4, 1, 8, 12), torch.tensor([0, 1, 2, 0])
    for scope in ("all", "head"):
        assert alignment(net, images, images, labels, scope=scope).matrix.isfinite().all()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"dim must be a multiple of heads \(4\)"):
        components.Vit(name="vit", dim=6)
    with pytest.raises(RecipeError, match=r"^model: patch is 5, which does not divide images of 28 × 28 pixels$"):
        build_model(
            components.Vit(name="vit", patch=5), shape=(1, 28, 28), classes=2, mean=0.0, std=1.0, streams=Streams(0)
        )
