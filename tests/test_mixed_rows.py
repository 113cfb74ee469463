"""A pair says all that mixing its encodings needs."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from saflex_cli import mixed_rows


@given(
    count=st.integers(0, 5), columns=st.integers(1, 5), shape=st.sampled_from([(2,), (2, 3)]), seed=st.integers(0, 9)
)
def test_encodings_of_pairs_are_mixed_one_by_one(count: int, columns: int, shape: tuple[int, ...], seed: int) -> None:
    torch.manual_seed(seed)
    weight = torch.randn(columns, *shape)
    own, partner, share = torch.randn(count, columns), torch.randn(count, columns), torch.rand(count)

    def encoder(rows: torch.Tensor) -> torch.Tensor:
        return torch.tanh(torch.tensordot(rows, weight, 1))

    mixed = mixed_rows.encode(mixed_rows.pack(own, partner, share), columns, encoder)
    assert mixed.shape == (count, *shape)
    for row in range(count):
        first, second = encoder(own[row : row + 1])[0], encoder(partner[row : row + 1])[0]
        torch.testing.assert_close(mixed[row], share[row] * first + (1 - share[row]) * second)
    assert torch.equal(mixed_rows.encode(own, columns, encoder), encoder(own))
