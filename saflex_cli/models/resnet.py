"""ResNet-18 for images of about 28 pixels (He et al. 2016, in the form used for CIFAR and MedMNIST)."""

from jaxtyping import Float
from torch import Tensor, nn


class ResNet18(nn.Module):
    """A 3 × 3 stem with stride 1, no max-pooling, four stages of two basic blocks, average pooling, a linear layer.

    The stages have 1, 2, 4 and 8 times `width` channels and strides 1, 2, 2, 2; every layer starts as torch has it.
    """

    def __init__(self, *, channels: int, classes: int, width: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(_convolution(channels, width, stride=1), nn.BatchNorm2d(width), nn.ReLU())
        self.stages = nn.Sequential(
            *_stage(width, width, stride=1),
            *_stage(width, 2 * width, stride=2),
            *_stage(2 * width, 4 * width, stride=2),
            *_stage(4 * width, 8 * width, stride=2),
        )
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(8 * width, classes)

    def forward(self, images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch classes"]:
        """Logits."""
        return self.head(self.pool(self.stages(self.stem(images))))  # type: ignore[no-any-return]

    def feature_layers(self) -> list[nn.Module]:
        """The stem, and the second block of each stage."""
        return [self.stem, *self.stages[1::2]]


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut, which is a 1 × 1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            _convolution(inputs, outputs, stride=stride),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            _convolution(outputs, outputs, stride=1),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            projection = nn.Conv2d(inputs, outputs, kernel_size=1, stride=stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(outputs))
        self.relu = nn.ReLU()

    def forward(
        self, features: Float[Tensor, "batch inputs height width"]
    ) -> Float[Tensor, "batch outputs new_height new_width"]:
        """Features of the next block."""
        return self.relu(self.residual(features) + self.shortcut(features))  # type: ignore[no-any-return]


def _stage(inputs: int, outputs: int, *, stride: int) -> list[nn.Module]:
    return [BasicBlock(inputs, outputs, stride=stride), BasicBlock(outputs, outputs, stride=1)]


def _convolution(inputs: int, outputs: int, *, stride: int) -> nn.Module:
    return nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)
