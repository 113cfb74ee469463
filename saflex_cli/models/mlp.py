"""A multilayer perceptron."""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from saflex_cli.models.dense_rows import DenseRows


class Mlp(nn.Module):
    """Linear layers with ReLU and dropout between them; inputs of several dimensions are flattened.

    Rows of a table come through `DenseRows`, which has a parameter only where a column is categorical.
    """

    def __init__(
        self,
        *,
        inputs: int | DenseRows,
        classes: int,
        hidden: tuple[int, ...],
        dropout: float,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.rows = inputs if isinstance(inputs, DenseRows) else nn.Identity()
        widths = (inputs.width if isinstance(inputs, DenseRows) else inputs, *hidden)
        layers = [
            layer
            for before, after in pairwise(widths)
            for layer in _hidden_layer(before, after, dropout=dropout, batch_norm=batch_norm)
        ]
        self.features = nn.Sequential(nn.Flatten(), *layers)
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, samples: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch classes"]:
        """Logits."""
        return self.head(self.features(self.rows(samples)))  # type: ignore[no-any-return]


def _hidden_layer(inputs: int, outputs: int, *, dropout: float, batch_norm: bool) -> list[nn.Module]:
    norm = [nn.BatchNorm1d(outputs)] if batch_norm else []
    return [nn.Linear(inputs, outputs), *norm, nn.ReLU(), nn.Dropout(dropout)]
