"""The small-image ResNet-18 has the published size, and computes what torchvision's does with the same weights."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torchvision.models import resnet18

from saflex_cli.models.resnet import ResNet18


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("classes", [2, 4, 5, 7, 8, 9, 11])
def test_parameters(channels: int, classes: int) -> None:
    """11.17 M, counted by hand at width w = 64.

    A block from a to b channels has 9ab + 9b² convolution weights and 4b of BatchNorm, and a·b + 2b more where it
    projects. Stages: 4·9w² + 8w, then for b = 2w, 4w, 8w (a = b/2): 9b²/2 + 3·9b² + 8b + b²/2 + 2b = 32b² + 10b.
    """
    w = 64
    stem = 9 * channels * w + 2 * w
    stages = 36 * w**2 + 8 * w + sum(32 * b**2 + 10 * b for b in (2 * w, 4 * w, 8 * w))
    count = parameters(ResNet18(channels=channels, classes=classes, width=w))
    assert count == stem + stages + (8 * w + 1) * classes
    assert round(count / 1e6, 2) == 11.17


def test_parameters_at_ten_classes() -> None:
    """The number that goes round for CIFAR-10's ResNet-18."""
    assert parameters(ResNet18(channels=3, classes=10, width=64)) == 11_173_962


def twins(classes: int) -> tuple[ResNet18, nn.Module]:
    """Ours, and torchvision's with a small-image stem, with equal weights.

    Both list their tensors from input to output, each block's shortcut last.
    """
    theirs = resnet18(num_classes=classes)
    theirs.conv1 = nn.Conv2d(3, 64, kernel_size=3, padding=1, bias=False)
    theirs.maxpool = nn.Identity()
    ours = ResNet18(channels=3, classes=classes, width=64)
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    return ours, theirs


def test_equals_torchvision_in_training_and_in_evaluation() -> None:
    ours, theirs = twins(classes=5)
    images = torch.randn(4, 3, 28, 28)
    torch.testing.assert_close(ours(images), theirs(images))
    ours.eval(), theirs.eval()
    torch.testing.assert_close(ours(images), theirs(images))


def gradient(model: nn.Module, images: Tensor) -> Tensor:
    weight = next(model.parameters())
    return torch.autograd.grad(model(images).square().sum(), weight)[0]


def test_gradients_equal_torchvision() -> None:
    ours, theirs = twins(classes=2)
    images = torch.randn(2, 3, 12, 12)
    torch.testing.assert_close(gradient(ours, images), gradient(theirs, images), rtol=1e-3, atol=1e-4)


@settings(max_examples=10)
@given(size=st.integers(8, 32), channels=st.sampled_from([1, 3]), width=st.sampled_from([2, 5, 16]))
def test_any_size_of_image(size: int, channels: int, width: int) -> None:
    model = ResNet18(channels=channels, classes=7, width=width)
    assert model(torch.zeros(2, channels, size, size)).shape == (2, 7)
    assert [tuple(model.stem(torch.zeros(2, channels, size, size)).shape)] == [(2, width, size, size)]
