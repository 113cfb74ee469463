"""Every operation at every magnitude equals torchvision's, called image by image."""

import math

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as reference

from saflex_cli.augment.operations import OPERATIONS, Operation

BINS = 31
SIZES = [(28, 28), (9, 13), (32, 8)]


def make_images(channels: int, height: int, width: int) -> Tensor:
    """Noise, a smooth ramp, a low-contrast image, a constant and a nearly binary one."""
    noise = torch.randint(256, (channels, height, width), generator=torch.Generator().manual_seed(0))
    ramp = torch.linspace(10, 240, height * width).view(1, height, width).expand(channels, -1, -1).long()
    images = [noise, ramp, 100 + noise // 16, torch.full_like(noise, 77), (noise > 200) * 255]
    return torch.stack(images).byte()


def expected_operation(name: str, image: Tensor, m: int, sign: int, fill: int) -> Tensor:
    """Obviously correct: one image, one line for each operation, torchvision's table of magnitudes copied by hand."""
    height, width = image.shape[1:]

    def level(largest: float) -> float:
        return sign * float(torch.linspace(0.0, largest, BINS)[m])

    still = {"angle": 0.0, "scale": 1.0, "fill": fill}
    sheared = math.degrees(math.atan(level(0.3)))
    x, y = int(level(150 / 331 * width)), int(level(150 / 331 * height))
    calls = {
        "Identity": lambda: image,
        "ShearX": lambda: reference.affine(image, translate=[0, 0], shear=[sheared, 0.0], center=[0, 0], **still),
        "ShearY": lambda: reference.affine(image, translate=[0, 0], shear=[0.0, sheared], center=[0, 0], **still),
        "TranslateX": lambda: reference.affine(image, translate=[x, 0], shear=[0.0, 0.0], **still),
        "TranslateY": lambda: reference.affine(image, translate=[0, y], shear=[0.0, 0.0], **still),
        "Rotate": lambda: reference.rotate(image, level(30.0), fill=fill),
        "Brightness": lambda: reference.adjust_brightness(image, 1 + level(0.9)),
        "Color": lambda: reference.adjust_saturation(image, 1 + level(0.9)),
        "Contrast": lambda: reference.adjust_contrast(image, 1 + level(0.9)),
        "Sharpness": lambda: reference.adjust_sharpness(image, 1 + level(0.9)),
        "Posterize": lambda: reference.posterize(image, 8 - round(4 * m / (BINS - 1))),
        "Solarize": lambda: reference.solarize(image, 255 * float(torch.linspace(1.0, 0.0, BINS)[m])),
        "AutoContrast": lambda: reference.autocontrast(image),
        "Equalize": lambda: reference.equalize(image),
    }
    return calls[name]()


def apply(operation: Operation, images: Tensor, m: int, sign: int, fill: int) -> Tensor:
    return operation.apply(images, sign * operation.magnitude(m, BINS, *images.shape[2:]), fill)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@pytest.mark.parametrize("channels", [1, 3])
def test_equals_the_functional_image_by_image(operation: Operation, channels: int) -> None:
    for height, width in SIZES:
        images = make_images(channels, height, width)
        for m in range(BINS):
            for sign in (1, -1) if operation.signed else (1,):
                got = apply(operation, images, m, sign, fill=40)
                expected = torch.stack([expected_operation(operation.name, image, m, sign, 40) for image in images])
                assert got.dtype == torch.uint8
                assert torch.equal(got, expected), (m, sign, height, width)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("m", "fill"), [(0, 0), (9, 0), (9, 255), (30, 12)])
def test_equals_torchvisions_transform(channels: int, m: int, fill: int) -> None:
    """Whatever `v2.RandAugment` draws after a seed, the operation of that place in the table does the same.

    Its draws are repeated after the same seed: an index among 14, then for signed operations the sign.
    """
    images = make_images(channels, 28, 28)
    transform = v2.RandAugment(num_ops=1, magnitude=m, num_magnitude_bins=BINS, fill=fill)
    seen = set()
    for seed in range(150):
        torch.manual_seed(seed)
        operation = OPERATIONS[int(torch.randint(14, ()))]
        sign = -1 if operation.signed and torch.rand(()) <= 0.5 else 1
        torch.manual_seed(seed)
        assert torch.equal(apply(operation, images, m, sign, fill), transform(images)), (operation.name, sign)
        seen.add((operation.name, sign))
    assert len(seen) == 14 + 9


def test_a_grey_image_has_no_colour_to_adjust() -> None:
    color = next(operation for operation in OPERATIONS if operation.name == "Color")
    images = make_images(1, 28, 28)
    assert torch.equal(apply(color, images, 30, -1, fill=0), images)
    grey = images.expand(-1, 3, -1, -1)
    assert (apply(color, grey, 30, -1, fill=0).int() - grey.int()).abs().max() <= 1
