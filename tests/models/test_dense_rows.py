"""Rows become values, indicators and embeddings, column by column."""

from typing import Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from saflex_cli import mixed_rows
from saflex_cli.errors import DataError
from saflex_cli.models.dense_rows import DenseRows, embedding_width


@given(
    continuous=st.integers(0, 4),
    levels=st.lists(st.integers(1, 5), max_size=3).map(tuple),
    embedding=st.just("auto") | st.integers(1, 4),
    indicator=st.booleans(),
    seed=st.integers(0, 99),
)
def test_vectors_are_made_column_by_column(
    continuous: int, levels: tuple[int, ...], embedding: Literal["auto"] | int, indicator: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    encoder = DenseRows(continuous=continuous, levels=levels, embedding=embedding, missing_indicator=indicator)
    values = torch.randn(6, continuous)
    values[torch.rand(values.shape) < 0.3] = torch.nan
    codes = torch.stack([torch.randint(level, (6,)) for level in levels], 1) if levels else torch.zeros(6, 0)
    vectors = encoder(torch.cat([values, codes.float()], dim=1)).tolist()
    for row, vector in enumerate(vectors):
        expected = [0.0 if value != value else value for value in values[row].tolist()]
        expected += [float(value != value) for value in values[row].tolist()] if indicator else []
        for column, code in enumerate(codes[row].long().tolist()):
            expected += encoder.embeddings[column].weight[code].tolist()
        assert vector == expected
    assert {len(vector) for vector in vectors} == {encoder.width}


def test_embeddings_grow_with_the_codes_to_a_limit() -> None:
    assert [embedding_width(levels) for levels in (1, 2, 3, 10, 99, 100_000)] == [1, 1, 2, 5, 50, 50]


@given(share=st.floats(0, 1), seed=st.integers(0, 99))
def test_pairs_are_mixed_as_vectors(share: float, seed: int) -> None:
    torch.manual_seed(seed)
    encoder = DenseRows(continuous=2, levels=(4,), missing_indicator=True)
    own, partner = (torch.cat([torch.randn(5, 2), torch.randint(4, (5, 1)).float()], 1) for _ in range(2))
    own[0, 0] = torch.nan
    mixed = encoder(mixed_rows.pack(own, partner, torch.full((5,), share)))
    torch.testing.assert_close(mixed, share * encoder(own) + (1 - share) * encoder(partner))


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(DataError, match="built for rows of 3 columns, and got 4; hand it rows of its table"):
        DenseRows(continuous=2, levels=(4,))(torch.zeros(2, 4))
