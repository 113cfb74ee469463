"""The two kinds of images hold the same intensities."""

import torch

from saflex_cli.augment.intensity import as_float, as_uint8, like

ALL = torch.arange(256).byte().view(1, 1, 16, 16)


def test_there_and_back() -> None:
    assert torch.equal(as_uint8(as_float(ALL)), ALL)
    assert as_float(ALL).max() == 1
    assert as_float(ALL).min() == 0


def test_the_own_kind_is_left_alone() -> None:
    real = torch.tensor([-0.5, 2.0])
    assert as_float(real) is real
    assert as_uint8(ALL) is ALL


def test_rounding_and_what_lies_outside() -> None:
    assert as_uint8(torch.tensor([-0.5, 0.0019, 0.002, 0.999, 7.0])).tolist() == [0, 0, 1, 255, 255]


def test_like_another() -> None:
    assert torch.equal(like(as_float(ALL), ALL), ALL)
    assert like(ALL, torch.zeros(1, dtype=torch.float64)).dtype == torch.float64
