"""The pool leaves the training split, and exactly as many of its samples are wrong as asked for."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from saflex_cli.config.pool import PoolConfig
from saflex_cli.data.pool import Pool, take_pool
from saflex_cli.data.splits import PixelScale, Split, Splits
from saflex_cli.errors import DataError

shares = st.floats(0, 1)


def splits_of(inputs: torch.Tensor, classes: int = 3) -> Splits:
    train = Split(inputs, torch.arange(len(inputs)) % classes)
    names = tuple("abcdefghij"[:classes])
    return Splits(train, train, train, names, PixelScale(), sha256="made up", notes=("read",))


def numbered(count: int, columns: int = 4) -> torch.Tensor:
    """Every cell another number."""
    return torch.arange(float(count * columns)).view(count, columns)


def pool_of(inputs: torch.Tensor, classes: int = 3, seed: int = 0, **config: float) -> tuple[Splits, Pool]:
    return take_pool(splits_of(inputs, classes), PoolConfig(**config), seed)  # type: ignore[arg-type]


@given(
    size=st.integers(1, 58),
    classes=st.integers(2, 5),
    wrong_labels=shares,
    wrong_inputs=shares,
    seed=st.integers(0, 5),
)
def test_counts_are_exact_and_no_sample_is_lost(
    size: int, classes: int, wrong_labels: float, wrong_inputs: float, seed: int
) -> None:
    inputs = numbered(60)
    clean, pool = pool_of(inputs, classes, seed, size=size, wrong_labels=wrong_labels, wrong_inputs=wrong_inputs)
    assert (len(pool), len(clean.train)) == (size, 60 - size)
    assert int(pool.mislabelled.sum()) == round(wrong_labels * size)
    assert int(pool.scrambled.sum()) == round(wrong_inputs * size)
    assert bool(((pool.labels >= 0) & (pool.labels < classes)).all())
    kept = pool.inputs[~pool.scrambled]
    place = (kept[:, 0] / 4).long()
    assert torch.equal(kept, inputs[place])
    assert torch.equal(pool.original_labels[~pool.scrambled], place % classes)
    assert torch.equal(clean.train.labels, (clean.train.inputs[:, 0] / 4).long() % classes)
    members = set(range(60)) - set((clean.train.inputs[:, 0] / 4).long().tolist())
    assert set(place.tolist()) <= members
    assert len(members) == size


@pytest.mark.parametrize("shape", [(5,), (3, 4, 4)], ids=["rows", "images"])
def test_scrambled_cells_come_from_their_own_column_of_the_pool(shape: tuple[int, ...]) -> None:
    """Against a slow twin that looks every cell up; pixels keep their channels together."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randint(256, (40, *shape), generator=generator).to(torch.uint8 if len(shape) == 3 else torch.float32)
    if len(shape) == 1:
        inputs[::3, 1] = torch.nan
    _, pool = pool_of(inputs, size=30, wrong_inputs=0.5)
    _, before = pool_of(inputs, size=30)
    assert torch.equal(pool.original_labels, before.original_labels)
    made, cells = pool.inputs[pool.scrambled], before.inputs
    for row in made:
        for place in torch.cartesian_prod(*map(torch.arange, shape[1:])) if len(shape) == 3 else torch.arange(shape[0]):
            where = (slice(None), *place.tolist()) if len(shape) == 3 else (int(place),)
            texts = {str(cell[where].tolist()) for cell in cells}
            assert str(row[where].tolist()) in texts
    assert any(str(row.tolist()) not in {str(cell.tolist()) for cell in cells} for row in made)


def test_columns_keep_their_distribution_and_lose_their_ties() -> None:
    """Two equal columns agree afterwards as often as two independent draws do; missing values are as frequent."""
    column = torch.arange(20_000) % 4
    inputs = torch.stack([column, column, torch.where(column == 0, torch.nan, 1.0)], dim=1)
    _, pool = pool_of(inputs, size=19_998, wrong_inputs=1.0)
    shares = pool.inputs[:, 0].long().bincount() / len(pool)
    assert (shares - 0.25).abs().max() < 0.015
    assert abs((pool.inputs[:, 0] == pool.inputs[:, 1]).double().mean() - 0.25) < 0.015
    assert abs(pool.inputs[:, 2].isnan().double().mean() - 0.25) < 0.015


def test_wrong_classes_are_drawn_uniformly() -> None:
    _, pool = pool_of(numbered(9000, 1), classes=4, size=8000, wrong_labels=0.75)
    shift = (pool.labels - pool.original_labels)[pool.mislabelled] % 4
    counts = Counter(shift.tolist())
    assert set(counts) == {1, 2, 3}
    assert all(abs(count - 2000) < 150 for count in counts.values())


def test_a_smaller_share_is_part_of_a_larger_one_and_another_key_moves_neither() -> None:
    _, few = pool_of(numbered(60), size=40, wrong_labels=0.2)
    _, many = pool_of(numbered(60), size=40, wrong_labels=0.7, wrong_inputs=0.5)
    assert bool(many.mislabelled[few.mislabelled].all())
    assert torch.equal(many.labels[few.mislabelled], few.labels[few.mislabelled])
    assert torch.equal(many.original_labels, few.original_labels)


def test_the_seed_draws_it() -> None:
    first, again, other = (
        pool_of(numbered(60), seed=seed, size=30, wrong_labels=0.5, wrong_inputs=0.5)[1] for seed in (0, 0, 1)
    )
    assert torch.equal(first.inputs, again.inputs)
    assert torch.equal(first.labels, again.labels)
    assert not torch.equal(first.inputs, other.inputs)


def test_true_labels_and_the_note() -> None:
    clean, pool = pool_of(numbered(60), size=40, wrong_labels=0.5, wrong_inputs=0.25)
    assert bool((pool.true_labels[pool.scrambled] == -1).all())
    assert torch.equal(pool.true_labels[~pool.scrambled], pool.original_labels[~pool.scrambled])
    said = "pool: 40 of 60 training samples, 20 with a wrong label, 10 with wrong inputs; 20 clean ones stay"
    assert clean.notes == ("read", said)


def test_too_large_a_pool_is_refused() -> None:
    pool_of(numbered(60), size=58)
    with pytest.raises(DataError, match=r"^pool\.size is 59, but there are 60 training samples.*lower it"):
        pool_of(numbered(60), size=59)
