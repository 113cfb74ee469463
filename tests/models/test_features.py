"""Models say where their intermediate features are; taking them changes nothing."""

import pytest
import torch
from torch import nn

from saflex_cli.errors import RecipeError
from saflex_cli.models.features import captured_outputs, feature_layers
from saflex_cli.models.resnet import ResNet18
from saflex_cli.models.small_cnn import SmallCnn
from saflex_cli.models.standardise import Standardised

NETS = {
    "small_cnn": (SmallCnn(channels=1, classes=3, width=4, dropout=0.0), [(4, 8), (8, 4), (8, 4)]),
    "resnet18": (ResNet18(channels=1, classes=3, width=4), [(4, 8), (4, 8), (8, 4), (16, 2), (32, 1)]),
}


@pytest.mark.parametrize("name", NETS)
def test_the_layers_of_each_net(name: str) -> None:
    """Channels and side of an 8 × 8 image's features, from input to output."""
    net, expected = NETS[name]
    model = Standardised(0.5, 0.5, net)
    with captured_outputs(feature_layers(model)) as features:
        logits = model(torch.rand(2, 1, 8, 8))
    assert [tuple(layer.shape) for layer in features] == [(2, channels, side, side) for channels, side in expected]
    assert all((layer >= 0).all() for layer in features)  # after the activation
    model(torch.rand(2, 1, 8, 8))
    assert len(features) == len(expected)  # nothing listens any more
    assert logits.shape == (2, 3)


def test_the_last_features_are_what_the_head_pools() -> None:
    net, _ = NETS["resnet18"]
    net.eval()
    images = torch.rand(2, 1, 8, 8)
    with captured_outputs(feature_layers(net)) as features:
        logits = net(images)
    torch.testing.assert_close(net.head(features[-1].mean((2, 3))), logits)


def test_the_hooks_go_when_a_pass_fails() -> None:
    net, _ = NETS["small_cnn"]
    with pytest.raises(RuntimeError), captured_outputs(feature_layers(net)) as features:
        net.features(torch.rand(2, 7, 8, 8))
    net(torch.rand(2, 1, 8, 8))
    assert features == []


def test_a_model_that_names_no_layers_is_told() -> None:
    with pytest.raises(RecipeError, match=r"the model Linear does not say .* feature_layers\(\)"):
        feature_layers(Standardised(0.5, 0.5, nn.Linear(2, 2)))
