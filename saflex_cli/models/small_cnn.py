"""A convolutional net for images of a few pixels."""

from jaxtyping import Float
from torch import Tensor, nn


class SmallCnn(nn.Module):
    """Three 3 × 3 convolutions with BatchNorm and ReLU (the second has stride 2), average pooling, a linear layer."""

    def __init__(self, *, channels: int, classes: int, width: int, dropout: float) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_block(channels, width, stride=1),
            *_block(width, 2 * width, stride=2),
            *_block(2 * width, 2 * width, stride=1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(dropout),
        )
        self.head = nn.Linear(2 * width, classes)

    def forward(self, images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch classes"]:
        """Logits."""
        return self.head(self.features(images))  # type: ignore[no-any-return]

    def feature_layers(self) -> list[nn.Module]:
        """The three activations."""
        return [layer for layer in self.features if isinstance(layer, nn.ReLU)]


def _block(inputs: int, outputs: int, *, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
