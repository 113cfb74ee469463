"""Both forms of CutMix for tables agree with loops over cells, and invent no value."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from saflex_cli.augment.batch import AugmentationStep, AugmentedBatch, clean_batch
from saflex_cli.augment.cutmix import CellReplacement, ColumnReplacement
from saflex_cli.augment.mixup import draw_shares

CLASSES = 3
STEPS: list[AugmentationStep] = [CellReplacement(0.4), ColumnReplacement(1.0, probability=1.0)]


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def table(count: int, continuous: int, categorical: int, seed: int) -> AugmentedBatch:
    """Distinct numbers, some of them missing, and codes of three levels; weights in [0, 1]."""
    draws = generator(seed)
    values = torch.randn(count, continuous, generator=draws)
    values[torch.rand(values.shape, generator=draws) < 0.2] = torch.nan
    codes = torch.randint(3, (count, categorical), generator=draws).float()
    batch = clean_batch(torch.cat([values, codes], 1), torch.randint(CLASSES, (count,), generator=draws), CLASSES)
    return AugmentedBatch(batch.inputs, batch.soft_labels, torch.rand(count, generator=draws))


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


TABLES = st.builds(table, st.integers(1, 9), st.integers(0, 4), st.integers(1, 4), st.integers(0, 99))


@pytest.mark.parametrize("step", STEPS, ids=["cells", "columns"])
@given(batch=TABLES, seed=st.integers(0, 99))
def test_no_value_is_invented(step: AugmentationStep, batch: AugmentedBatch, seed: int) -> None:
    """Each row holds its own and one partner's cells, partners are a permutation, and codes stay codes."""
    result = step(batch, generator(seed))
    draws = generator(seed)
    if isinstance(step, ColumnReplacement):
        torch.rand((), generator=draws)
        draw_shares(step.alpha, 1, draws)
    partner = torch.randperm(len(batch.inputs), generator=draws)
    for row in range(len(batch.inputs)):
        for column in range(batch.inputs.shape[1]):
            cell = result.inputs[row, column].item()
            candidates = (batch.inputs[row, column].item(), batch.inputs[partner[row], column].item())
            assert any(same(cell, candidate) for candidate in candidates)
    assert (result.soft_labels >= 0).all()
    torch.testing.assert_close(result.soft_labels.sum(1), torch.ones(len(batch.inputs)))
    assert ((result.sample_weights >= 0) & (result.sample_weights <= 1)).all()


@given(batch=TABLES, seed=st.integers(0, 99), probability=st.floats(0, 1))
def test_cells_agree_with_the_loop(batch: AugmentedBatch, seed: int, probability: float) -> None:
    """The published order: a permutation, then one draw per cell; label and weight are the row's own."""
    result, draws = CellReplacement(probability)(batch, generator(seed)), generator(seed)
    partner = torch.randperm(len(batch.inputs), generator=draws).tolist()
    chance = torch.rand(batch.inputs.shape, generator=draws).tolist()
    for row, chances in enumerate(chance):
        for column, drawn in enumerate(chances):
            source = partner[row] if drawn < probability else row
            assert same(result.inputs[row, column].item(), batch.inputs[source, column].item())
    assert torch.equal(result.soft_labels, batch.soft_labels)
    assert torch.equal(result.sample_weights, batch.sample_weights)


@given(batch=TABLES, seed=st.integers(0, 99), alpha=st.floats(0.1, 3), probability=st.sampled_from([0.0, 0.5, 1.0]))
def test_columns_agree_with_the_loop(batch: AugmentedBatch, seed: int, alpha: float, probability: float) -> None:
    """Kept cells counted one by one; the label's share is what is equal afterwards, whether kept or not."""
    result, draws = ColumnReplacement(alpha, probability)(batch, generator(seed)), generator(seed)
    changed = torch.rand((), generator=draws).item() < probability
    count, columns = batch.inputs.shape
    kept = math.floor(columns * draw_shares(alpha, 1, draws).item())
    partner = torch.randperm(count, generator=draws).tolist()
    ranked = torch.rand(count, columns, generator=draws).argsort(1).tolist()
    for row in range(count):
        other = partner[row] if changed else row
        cells = [
            batch.inputs[row if column in ranked[row][:kept] else other, column].item() for column in range(columns)
        ]
        equal = [same(cell, batch.inputs[row, column].item()) for column, cell in enumerate(cells)]
        share = sum(equal) / columns
        assert all(same(a, b) for a, b in zip(result.inputs[row].tolist(), cells, strict=True))
        for values, before in ((result.soft_labels, batch.soft_labels), (result.sample_weights, batch.sample_weights)):
            torch.testing.assert_close(values[row], share * before[row] + (1 - share) * before[other])


def apart(count: int = 400, columns: int = 10) -> Tensor:
    return torch.arange(float(count * columns)).view(count, columns)


def test_the_rate_of_replaced_cells_is_the_probability() -> None:
    rows = apart()
    batch = clean_batch(rows, torch.zeros(400, dtype=torch.long), CLASSES)
    replaced = (CellReplacement(0.1)(batch, generator(0)).inputs != rows).double().mean().item()
    assert stats.binomtest(round(replaced * rows.numel()), rows.numel(), 0.1).pvalue > 0.01


def test_batches_are_changed_with_the_probability() -> None:
    batch = clean_batch(apart(8, 5), torch.arange(8) % CLASSES, CLASSES)
    draws = generator(0)
    step = ColumnReplacement(100.0, probability=0.3)
    changed = sum(step(batch, draws).inputs is not batch.inputs for _ in range(500))
    assert stats.binomtest(changed, 500, 0.3).pvalue > 0.01


def test_two_missing_values_are_equal() -> None:
    """All cells of both rows are missing: nothing changes, so the label is the row's own."""
    batch = clean_batch(torch.full((4, 3), torch.nan), torch.arange(4) % CLASSES, CLASSES)
    assert torch.equal(ColumnReplacement(1.0, probability=1.0)(batch, generator(1)).soft_labels, batch.soft_labels)
