"""Every model is built behind its normalisation, with the same initial weights for the same seed."""

import pytest
import torch
from torch import Tensor

from saflex_cli.config import components
from saflex_cli.config.tabular_components import Saint
from saflex_cli.errors import RecipeError
from saflex_cli.models.build import build_model
from saflex_cli.models.standardise import Standardised
from saflex_cli.seeding import Streams

SAINT = Saint(name="saint", dim=4, depth=1, heads=2)
CONFIGS: list[components.ModelConfig] = [
    components.SmallCnn(name="small_cnn", width=4),
    components.ResNet18(name="resnet18", width=4),
    components.Mlp(name="mlp", hidden=(8, 4)),
    components.Vit(name="vit", dim=8, depth=1, heads=2),
]


def build(config: components.ModelConfig, seed: int = 0) -> Standardised:
    return build_model(config, shape=(1, 12, 12), classes=3, mean=0.5, std=0.25, streams=Streams(seed))


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_initial_weights_follow_the_seed_alone(config: components.ModelConfig) -> None:
    def weights(seed: int) -> Tensor:
        return torch.cat([parameter.flatten() for parameter in build(config, seed).parameters()])

    state = torch.get_rng_state()
    first = weights(0)
    assert torch.equal(state, torch.get_rng_state())
    torch.rand(7)
    assert torch.equal(first, weights(0))
    assert not torch.equal(first, weights(1))


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_both_kinds_of_images_give_the_same_logits(config: components.ModelConfig) -> None:
    model = build(config).eval()
    images = torch.randint(256, (4, 1, 12, 12)).byte()
    torch.testing.assert_close(model(images), model(images / 255))
    torch.testing.assert_close(model(images), model.net((images / 255 - 0.5) / 0.25))


def test_the_net_is_the_one_that_was_asked_for() -> None:
    assert [type(build(config).net).__name__ for config in CONFIGS] == ["SmallCnn", "ResNet18", "Mlp", "Vit"]
    assert build(CONFIGS[1]).net.head.in_features == 32


@pytest.mark.parametrize("config", [*CONFIGS, SAINT], ids=lambda config: config.name)
def test_a_net_takes_vectors_or_says_that_it_cannot(config: components.ModelConfig) -> None:
    if config.name in {"mlp", "saint"}:
        model = build_model(config, shape=(5,), classes=3, mean=0.0, std=1.0, streams=Streams(0))
        assert model(torch.randn(4, 5)).shape == (4, 3)
    else:
        with pytest.raises(RecipeError, match=f"^model: {config.name} takes images, and the data are vectors"):
            build_model(config, shape=(5,), classes=3, mean=0.0, std=1.0, streams=Streams(0))


@pytest.mark.parametrize("config", [CONFIGS[2], SAINT], ids=lambda config: config.name)
def test_tables_of_every_kind_have_a_net(config: components.ModelConfig) -> None:
    """Continuous columns alone, categorical ones alone, and both; a missing value and an unknown level are inputs."""
    for continuous, levels in ((3, ()), (0, (4, 2)), (3, (4, 2))):
        shape = (continuous + len(levels),)
        model = build_model(config, shape=shape, levels=levels, classes=3, mean=0.0, std=1.0, streams=Streams(0))
        rows = torch.zeros(5, *shape)
        rows[0, :continuous] = torch.nan
        logits = model(rows)
        assert logits.shape == (5, 3)
        assert logits.isfinite().all()


def test_saint_starts_from_the_seed_alone() -> None:
    def weights(seed: int) -> Tensor:
        model = build_model(SAINT, shape=(5,), levels=(3,), classes=2, mean=0.0, std=1.0, streams=Streams(seed))
        return torch.cat([parameter.flatten() for parameter in model.parameters()])

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_fields_for_tables_are_refused_with_images() -> None:
    for config, message in (
        (SAINT, "^model: saint takes rows of a table"),
        (components.Mlp(name="mlp", missing_indicator=True), "^model: missing_indicator is for tables"),
    ):
        with pytest.raises(RecipeError, match=message):
            build(config)


def test_settings_of_saint_reach_the_net() -> None:
    config = Saint(name="saint", dim=4, depth=3, heads=2, attention="column+row", attention_dropout=0.3)
    net = build_model(config, shape=(5,), classes=3, mean=0.0, std=1.0, streams=Streams(0)).net
    assert [type(block).__name__ for block in net.blocks] == ["ColumnBlock", "RowBlock"] * 3
    assert net.blocks[0].attention.dropout == 0.3
    assert net.blocks[1].block.feedforward.dropout.p == 0.1
