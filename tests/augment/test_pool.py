"""A batch gives way to samples of the pool, with the pool's labels, each once where possible."""

import pytest
import torch

from saflex_cli.augment.batch import clean_batch
from saflex_cli.augment.pool import PoolDraw, draw_places


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("shape", [(3,), (1, 2, 2)], ids=["rows", "images"])
def test_samples_keep_their_labels(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    labels = torch.tensor([2, 0, 1, 0])
    inputs = labels.to(dtype).view(-1, *[1] * len(shape)).expand(4, *shape)
    batch = clean_batch(torch.zeros(3, *shape, dtype=dtype), torch.zeros(3, dtype=torch.long), classes=3)
    drawn = PoolDraw(inputs, labels, labels - 1)(batch, torch.Generator().manual_seed(0))
    assert drawn.inputs.dtype == dtype
    assert torch.equal(drawn.inputs.flatten(1)[:, 0].long(), drawn.soft_labels.argmax(1))
    assert drawn.true_labels is not None
    assert torch.equal(drawn.true_labels, drawn.soft_labels.argmax(1) - 1)
    assert drawn.sample_weights.tolist() == [1.0] * 3


@pytest.mark.parametrize("size", [1, 4, 5, 11])
def test_no_place_a_second_time_before_all_have_been_drawn(size: int) -> None:
    counts = draw_places(5, size, torch.Generator().manual_seed(0)).bincount(minlength=5)
    assert counts.sum() == size
    assert counts.max() - counts.min() <= 1
