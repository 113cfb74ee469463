"""Pairs hold both rows and the share in which labels and weights are mixed."""

from typing import Literal

import torch
from hypothesis import given
from hypothesis import strategies as st

from saflex_cli.augment.batch import AugmentedBatch, clean_batch
from saflex_cli.augment.embedding_mixup import PairedRows


def batch_of(count: int) -> AugmentedBatch:
    clean = clean_batch(torch.randn(count, 4), torch.arange(count), count)
    return AugmentedBatch(clean.inputs, clean.soft_labels, torch.rand(count))


@given(
    count=st.integers(1, 9),
    share=st.just("beta") | st.floats(0, 1),
    per_sample=st.booleans(),
    seed=st.integers(0, 99),
)
def test_rows_labels_and_weights_are_paired_alike(
    count: int, share: Literal["beta"] | float, per_sample: bool, seed: int
) -> None:
    batch = batch_of(count)
    step = PairedRows(share, 0.7, per_sample=per_sample)
    result = step(batch, torch.Generator().manual_seed(seed))
    assert result.inputs.shape == (count, 9)
    assert torch.equal(result.inputs[:, :4], batch.inputs)
    partners = [batch.inputs.tolist().index(row) for row in result.inputs[:, 4:8].tolist()]
    assert sorted(partners) == list(range(count))
    for row, partner in enumerate(partners):
        own = result.inputs[row, -1]
        for mixed, before in ((result.soft_labels, batch.soft_labels), (result.sample_weights, batch.sample_weights)):
            torch.testing.assert_close(mixed[row], own * before[row] + (1 - own) * before[partner])


def test_shares_are_fixed_or_drawn_for_the_batch_or_for_every_row() -> None:
    def different(step: PairedRows) -> list[float]:
        return step(batch_of(12), torch.Generator().manual_seed(0)).inputs[:, -1].unique().tolist()

    torch.testing.assert_close(different(PairedRows(0.3, 1.0, per_sample=True)), [0.3])
    assert len(different(PairedRows("beta", 1.0, per_sample=False))) == 1
    assert len(different(PairedRows("beta", 1.0, per_sample=True))) == 12
