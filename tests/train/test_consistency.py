"""Samples whose predictions change least come first, and what is remembered is what slow loops remember."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from saflex_cli.train.consistency import Consistency, change, most_consistent


def slow_change(before: Tensor, now: Tensor, label: int) -> float:
    """With probabilities, class by class."""
    p, q = before.exp().tolist(), now.exp().tolist()
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)) + abs(math.log(p[label] / q[label]))


@given(seed=st.integers(0, 999), batch=st.integers(1, 6), classes=st.integers(2, 5))
def test_change_equals_the_slow_twin(seed: int, batch: int, classes: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    before, now = torch.randn(2, batch, classes, generator=generator, dtype=torch.float64).log_softmax(2)
    labels = torch.randint(classes, (batch,), generator=generator)
    expected = [slow_change(before[i], now[i], int(labels[i])) for i in range(batch)]
    assert change(before, now, labels).tolist() == pytest.approx(expected)
    assert change(before, before, labels).tolist() == [0] * batch


def test_the_worked_case() -> None:
    before, now = torch.tensor([[1 / 2, 1 / 2]]).log(), torch.tensor([[1 / 4, 3 / 4]]).log()
    assert change(before, now, torch.tensor([0])).item() == pytest.approx(0.837, abs=5e-4)


@given(size=st.integers(1, 50), ratio=st.floats(0.01, 1), seed=st.integers(0, 99))
def test_as_many_as_asked_and_none_less_consistent(size: int, ratio: float, seed: int) -> None:
    values = torch.rand(size, generator=torch.Generator().manual_seed(seed))
    kept = most_consistent(values, ratio)
    assert len(kept) == round(ratio * size)
    assert kept.tolist() == sorted(set(kept.tolist()))
    left = [i for i in range(size) if i not in kept.tolist()]
    assert max(values[kept].tolist(), default=0) <= min(values[left].tolist(), default=1)


def test_samples_without_a_past_count_as_unchanged() -> None:
    assert most_consistent(torch.tensor([0.5, torch.nan, 0.1, 0.2]), 0.5).tolist() == [1, 2]
    assert most_consistent(torch.full((4,), torch.nan), 0.5).tolist() == [0, 1]


def test_the_running_average_is_kept_by_sample() -> None:
    """Three epochs in different orders, against a dictionary of plain numbers."""
    memory, labels = Consistency(4, 3, newest=0.75), torch.tensor([0, 1, 2, 0])
    past: dict[int, Tensor] = {}
    average: dict[int, float] = {}
    for epoch in range(3):
        order = torch.randperm(4)
        now = torch.randn(4, 3).log_softmax(1)
        found = memory.update(order, now, labels[order])
        for place, sample in enumerate(order.tolist()):
            if sample in past:
                latest = slow_change(past[sample], now[place], int(labels[sample]))
                average[sample] = 0.75 * latest + 0.25 * average.get(sample, latest)
            past[sample] = now[place]
        if epoch == 0:
            assert found.isnan().all()
        else:
            assert found.tolist() == pytest.approx([average[sample] for sample in order.tolist()], rel=1e-4)
