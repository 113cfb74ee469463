"""WILDS' RandAugment: each image by its own draws, every operation between its limits, and a cutout at the end."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from saflex_cli.augment.batch import clean_batch
from saflex_cli.augment.randaugment_wilds import FILL, WILDS_OPERATIONS, PerSampleWilds, WildsDraws, draw_wilds

NAMES = [operation.name for operation in WILDS_OPERATIONS]


def make_images(size: int, channels: int = 3, height: int = 20, width: int = 20, seed: int = 0) -> Tensor:
    return torch.randint(256, (size, channels, height, width), generator=torch.Generator().manual_seed(seed)).byte()


def augmented(step: PerSampleWilds, images: Tensor, seed: int = 0) -> Tensor:
    batch = clean_batch(images, torch.arange(len(images)) % 2, classes=2)
    result = step(batch, torch.Generator().manual_seed(seed))
    assert torch.equal(result.soft_labels, batch.soft_labels)
    return result.inputs


def one(name: str, share: float, image: Tensor, *, cutout: tuple[float, float, float] = (0, 0, 0)) -> Tensor:
    """One operation at a share of its magnitudes, then a cutout."""
    draws = WildsDraws(
        torch.ones(1), torch.tensor([[NAMES.index(name)]]), torch.tensor([[share]]), torch.tensor([cutout]).float()
    )
    return PerSampleWilds(1, 0.5, 0.5).augmented(image, draws, 0)


@given(
    size=st.integers(1, 6),
    channels=st.sampled_from([1, 3]),
    height=st.integers(4, 24),
    width=st.integers(4, 24),
    num_ops=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_an_image_gets_what_its_draws_say(
    size: int, channels: int, height: int, width: int, num_ops: int, seed: int
) -> None:
    images, step = make_images(size, channels, height, width, seed), PerSampleWilds(num_ops, 0.5, 0.5)
    result = augmented(step, images, seed)
    assert (result.dtype, result.shape) == (torch.uint8, images.shape)
    draws = draw_wilds(size, num_ops, torch.Generator().manual_seed(seed))
    assert torch.equal(result, torch.stack([step.augmented(images[row], draws, row) for row in range(size)]))


def test_the_pool_and_its_magnitudes_are_the_published_ones() -> None:
    limits = {operation.name: (operation.low, operation.high) for operation in WILDS_OPERATIONS}
    enhanced = dict.fromkeys(("Brightness", "Color", "Contrast", "Sharpness"), (0.05, 0.95))
    moved = dict.fromkeys(("ShearX", "ShearY", "TranslateX", "TranslateY"), (-0.3, 0.3))
    fixed = dict.fromkeys(("AutoContrast", "Equalize", "Identity"), (0.0, 0.0))
    others = {"Posterize": (4, 8), "Rotate": (-30, 30), "Solarize": (0, 256)}
    assert limits == enhanced | moved | fixed | others


def test_operations_by_hand() -> None:
    image = make_images(1)[0]
    assert torch.equal(one("Identity", 0.3, image), image)
    assert torch.equal(one("Solarize", 0.0, image), 255 - image)
    assert torch.equal(one("Posterize", 0.0, image), image & 0b1111_0000)
    assert torch.equal(one("Posterize", 0.99, image), image & 0b1111_1110)
    shifted = one("TranslateX", 1.0, image)  # 6 of 20 pixels to the left; black comes in
    assert torch.equal(shifted[:, :, :14], image[:, :, 6:])
    assert not shifted[:, :, 14:].any()
    lifted = one("TranslateY", 0.0, image)
    assert torch.equal(lifted[:, 6:], image[:, :14])
    assert torch.equal(one("Rotate", 0.5, image), image)
    darker = one("Brightness", 0.5, image)
    assert torch.allclose(darker.float(), image.float() / 2, atol=1)


def test_the_cutout_is_a_square_about_its_middle_in_one_colour() -> None:
    """Side 0.8 of at most 10 pixels is 8; the middle at (0.5, 0.25) of 20 is (10, 5): columns 6…13, rows 1…8."""
    image = make_images(1)[0]
    cut = one("Identity", 0.0, image, cutout=(0.8, 0.5, 0.25))
    expected = image.clone()
    expected[:, 1:9, 6:14] = torch.tensor(FILL, dtype=torch.uint8)[:, None, None]
    assert torch.equal(cut, expected)
    corner = one("Identity", 0.0, image, cutout=(0.8, 0.0, 0.99))
    assert torch.equal(corner[:, :15], image[:, :15])
    assert (corner[0, 15:, :8] == FILL[0]).all()


def test_the_flip_comes_with_its_probability() -> None:
    images = make_images(1).expand(400, -1, -1, -1)
    step = PerSampleWilds(1, 0.25, 0.0)
    draws = draw_wilds(400, 1, torch.Generator().manual_seed(0))
    identity = draws.operations[:, 0] == NAMES.index("Identity")
    result, mirrored = augmented(step, images), draws.mirrored < 0.25
    assert torch.equal(result[identity & mirrored], images[identity & mirrored].flip(3))
    assert torch.equal(result[identity & ~mirrored], images[identity & ~mirrored])
    assert 60 < int(mirrored.sum()) < 140


@pytest.mark.parametrize("channels", [1, 3])
def test_floats_are_augmented_as_the_uint8_images_that_they_stand_for(channels: int) -> None:
    images, step = make_images(16, channels), PerSampleWilds(2, 0.5, 0.5)
    assert torch.equal(augmented(step, images / 255), augmented(step, images))


def test_the_generator_decides_and_the_input_is_left_alone() -> None:
    images, step = make_images(16), PerSampleWilds(2, 0.5, 0.5)
    first, state = augmented(step, images), torch.get_rng_state()
    assert torch.equal(images, make_images(16))
    assert torch.equal(first, augmented(step, images))
    assert not torch.equal(first, augmented(step, images, seed=1))
    assert torch.equal(state, torch.get_rng_state())
