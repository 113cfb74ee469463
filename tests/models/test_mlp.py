"""The multilayer perceptron is what its settings say, layer by layer."""

import pytest
import torch
from torch.nn import functional

from saflex_cli import mixed_rows
from saflex_cli.models.dense_rows import DenseRows
from saflex_cli.models.mlp import Mlp


@pytest.mark.parametrize("hidden", [(), (7,), (7, 5, 6)])
def test_logits_are_those_of_the_layers_by_hand(hidden: tuple[int, ...]) -> None:
    model = Mlp(inputs=4, classes=3, hidden=hidden, dropout=0.5).double().eval()
    inputs = torch.randn(6, 4).double()
    parameters = list(model.parameters())
    assert len(parameters) == 2 * (len(hidden) + 1)
    expected = inputs
    for weight, bias in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
        expected = functional.linear(expected, weight, bias).clamp(min=0)
    torch.testing.assert_close(model(inputs), functional.linear(expected, *parameters[-2:]))


def test_dropout_follows_every_hidden_layer_in_training_alone() -> None:
    model = Mlp(inputs=4, classes=3, hidden=(50, 50), dropout=0.5)
    inputs = torch.randn(6, 4)
    assert not torch.equal(model(inputs), model(inputs))
    assert torch.equal(model.eval()(inputs), model(inputs))


def test_images_are_taken_in_a_row() -> None:
    model = Mlp(inputs=2 * 3 * 4, classes=3, hidden=(8,), dropout=0.0)
    images = torch.rand(5, 2, 3, 4)
    assert torch.equal(model(images), model(images.flatten(1)))


def test_batch_norm_stands_between_a_hidden_layer_and_its_relu() -> None:
    model = Mlp(inputs=4, classes=3, hidden=(7, 5), dropout=0.5, batch_norm=True)
    names = [type(layer).__name__ for layer in model.features]
    assert names == ["Flatten", *["Linear", "BatchNorm1d", "ReLU", "Dropout"] * 2]


def test_rows_without_categories_are_what_vectors_were() -> None:
    """No parameter more, none in another place, the same initial draws, and the same logits to the last bit."""
    inputs, models = torch.randn(6, 4), []
    for columns in (4, DenseRows(continuous=4)):
        torch.manual_seed(3)
        models.append(Mlp(inputs=columns, classes=3, hidden=(7, 5), dropout=0.0))
    before, after = models
    assert list(before.state_dict()) == list(after.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(), strict=True))
    assert torch.equal(before(inputs), after(inputs))


def test_pairs_of_continuous_rows_are_plain_mixup() -> None:
    model = Mlp(inputs=DenseRows(continuous=4), classes=3, hidden=(7,), dropout=0.0)
    own, partner, share = torch.randn(6, 4), torch.randn(6, 4), torch.rand(6)
    mixed = share[:, None] * own + (1 - share)[:, None] * partner
    torch.testing.assert_close(model(mixed_rows.pack(own, partner, share)), model(mixed))
