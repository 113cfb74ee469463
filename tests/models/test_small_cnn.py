"""The small net has the stated shape and the same initial weights for the same seed."""

import torch

from saflex_cli.config.schema import SmallCnn
from saflex_cli.models.build import build_model
from saflex_cli.seeding import Streams


def test_parameters_and_output() -> None:
    """1·16·9 + 16·32·9 + 32·32·9 convolution weights, 2·(16+32+32) of BatchNorm, 32·10 + 10 of the head."""
    model = build_model(SmallCnn(name="small_cnn", width=16), channels=1, classes=10, streams=Streams(0))
    assert sum(p.numel() for p in model.parameters()) == 144 + 4608 + 9216 + 160 + 330
    assert model(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


def test_initial_weights_follow_the_seed_alone() -> None:
    def weights(seed: int) -> torch.Tensor:
        return build_model(SmallCnn(name="small_cnn"), channels=1, classes=3, streams=Streams(seed)).head.weight

    state = torch.get_rng_state()
    first = weights(0)
    assert torch.equal(state, torch.get_rng_state())
    torch.rand(7)
    assert torch.equal(first, weights(0))
    assert not torch.equal(first, weights(1))
