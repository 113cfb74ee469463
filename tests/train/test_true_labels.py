"""Right and wrong labels are counted as a slow twin counts them, one sample after the other."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from saflex_cli.experiment.facts import label_facts
from saflex_cli.train.true_labels import label_sums


def counted(
    true: torch.Tensor, upstream: torch.Tensor, learned: torch.Tensor, weights: torch.Tensor
) -> dict[str, list[float]]:
    """Number, sum of weights and number of learned true classes of each kind, in plain Python."""
    sums = {"wrong": [0.0] * 3, "right": [0.0] * 3, "classless": [0.0] * 3}
    for number, (row, other) in enumerate(zip(upstream.tolist(), learned.tolist(), strict=True)):
        own = int(true[number])
        kind = "classless" if own < 0 else "right" if row.index(max(row)) == own else "wrong"
        sums[kind][0] += 1
        sums[kind][1] += float(weights[number])
        sums[kind][2] += other.index(max(other)) == own
    return sums


def drawn(size: int, classes: int, seed: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    true = torch.randint(-1, classes, (size,), generator=generator)
    upstream, learned = torch.rand(2, size, classes, generator=generator).double()
    return true, upstream, learned, torch.rand(size, generator=generator).double()


@given(size=st.integers(1, 30), classes=st.integers(2, 4), seed=st.integers(0, 20))
def test_sums_are_those_of_counting(size: int, classes: int, seed: int) -> None:
    batch = drawn(size, classes, seed)
    expected = torch.tensor(list(counted(*batch).values())).double()
    torch.testing.assert_close(label_sums(*batch), expected, rtol=1e-6, atol=0)


def test_stacks_of_batches_have_sums_of_their_own() -> None:
    batches = [drawn(9, 3, seed) for seed in range(4)]
    stacked = label_sums(*(torch.stack(parts) for parts in zip(*batches, strict=True)))
    assert torch.equal(stacked, torch.stack([label_sums(*batch) for batch in batches]))


def test_facts_in_words() -> None:
    """Three wrong labels of which one is recovered, four right ones of which one is lost, and no classless sample."""
    facts = label_facts([[3.0, 0.75, 1.0], [4.0, 4.0, 3.0], [0.0, 0.0, 0.0]])
    assert facts is not None
    expected: dict[str, Any] = {
        "wrong": 3,
        "right": 4,
        "classless": 0,
        "mean_weight_wrong": 0.25,
        "mean_weight_right": 1.0,
        "mean_weight_classless": None,
        "recovered": pytest.approx(1 / 3),
        "kept": 0.75,
    }
    assert facts.model_dump() == expected
    assert label_facts([]) is None
