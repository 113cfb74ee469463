"""The small net has the stated shape."""

import torch

from saflex_cli.models.small_cnn import SmallCnn


def test_parameters_and_output() -> None:
    """1·16·9 + 16·32·9 + 32·32·9 convolution weights, 2·(16+32+32) of BatchNorm, 32·10 + 10 of the head."""
    model = SmallCnn(channels=1, classes=10, width=16, dropout=0.0)
    assert sum(p.numel() for p in model.parameters()) == 144 + 4608 + 9216 + 160 + 330
    assert model(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
