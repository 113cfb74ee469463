"""A multilayer perceptron."""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn


class Mlp(nn.Module):
    """Linear layers with ReLU and dropout between them; inputs of several dimensions are flattened."""

    def __init__(self, *, inputs: int, classes: int, hidden: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        widths = (inputs, *hidden)
        layers = [
            layer
            for before, after in pairwise(widths)
            for layer in (nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout))
        ]
        self.features = nn.Sequential(nn.Flatten(), *layers)
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, samples: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch classes"]:
        """Logits."""
        return self.head(self.features(samples))  # type: ignore[no-any-return]
