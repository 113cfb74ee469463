"""One seed, many streams, none of which moves another."""

import torch

from saflex_cli.seeding import Streams


def test_equal_arguments_give_equal_streams() -> None:
    first, second = (torch.rand(3, generator=Streams(1).generator("order", 4)) for _ in range(2))
    assert torch.equal(first, second)


def test_purpose_epoch_and_seed_all_count() -> None:
    numbers = {
        Streams(seed).number(purpose, epoch)
        for seed in (0, 1)
        for purpose in ("order", "augment", "outer")
        for epoch in (0, 1)
    }
    assert len(numbers) == 12
    assert all(0 <= number < 2**63 for number in numbers)


def test_streams_never_change() -> None:
    """A changed derivation would make every committed report unrepeatable."""
    assert Streams(0).number("init") == 1519069808562059438
    assert torch.randperm(5, generator=Streams(0).generator("order", 3)).tolist() == [1, 2, 0, 3, 4]
