"""SAINT is what its description says, cell by cell; predictions depend on the batch with row attention alone."""

import copy
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from saflex_cli import mixed_rows
from saflex_cli.errors import DataError
from saflex_cli.models.attention import Attention
from saflex_cli.models.saint import Saint
from tests.models.reference_saint import reference_saint

LEVELS = (3, 2)


def saint(*, continuous: int = 3, levels: tuple[int, ...] = LEVELS, **changes: Any) -> Saint:
    settings = {
        "classes": 3,
        "dim": 4,
        "depth": 2,
        "heads": 2,
        "row_attention": False,
        "attention_dropout": 0.0,
        "feedforward_dropout": 0.0,
    }
    return Saint(continuous=continuous, levels=levels, **(settings | changes)).double().eval()


def table(count: int, *, continuous: int = 3, levels: tuple[int, ...] = LEVELS, missing: float = 0.3) -> Tensor:
    values = torch.randn(count, continuous).double()
    values[torch.rand(values.shape) < missing] = torch.nan
    codes = [torch.randint(level, (count, 1)).double() for level in levels]
    return torch.cat([values, *codes], dim=1)


@given(
    seed=st.integers(0, 99),
    continuous=st.integers(0, 3),
    levels=st.lists(st.integers(1, 4), max_size=3).map(tuple),
    row_attention=st.booleans(),
)
def test_the_forward_pass_agrees_with_the_loops(
    seed: int, continuous: int, levels: tuple[int, ...], row_attention: bool
) -> None:
    if not continuous and not levels:
        return
    torch.manual_seed(seed)
    model = saint(continuous=continuous, levels=levels, depth=1, row_attention=row_attention)
    rows = table(3, continuous=continuous, levels=levels)
    expected = reference_saint(
        model.state_dict(), rows.tolist(), levels=levels, depth=1, heads=2, row_attention=row_attention
    )
    torch.testing.assert_close(model(rows), torch.tensor(expected).double())


@pytest.mark.parametrize("row_attention", [False, True])
def test_several_blocks_agree_with_the_loops(row_attention: bool) -> None:
    model, rows = saint(row_attention=row_attention), table(4)
    assert rows.isnan().any()
    expected = reference_saint(
        model.state_dict(), rows.tolist(), levels=LEVELS, depth=2, heads=2, row_attention=row_attention
    )
    torch.testing.assert_close(model(rows), torch.tensor(expected).double())


def test_a_prediction_depends_on_its_batch_with_row_attention_alone() -> None:
    rows = table(6)
    for row_attention in (False, True):
        model = saint(row_attention=row_attention)
        assert torch.allclose(model(rows)[:2], model(rows[:2])) is not row_attention


def test_every_parameter_has_a_part_in_the_prediction() -> None:
    """No table is a duplicate: with every level and every missing cell present, all gradients are non-zero."""
    model = saint(row_attention=True)
    rows = torch.cat([table(60), table(2, missing=1.0)])
    functional.cross_entropy(model(rows), torch.randint(3, (62,))).backward()
    assert all(bool(parameter.grad.abs().max() > 0) for parameter in model.parameters())


def test_both_dropouts_act_in_training_alone() -> None:
    rows = table(4)
    for name in ("attention_dropout", "feedforward_dropout"):
        model = saint(**{name: 0.5})
        assert torch.equal(model(rows), model(rows))
        model.train()
        assert not torch.equal(model(rows), model(rows))


def test_dropout_falls_on_the_attention_weights() -> None:
    """With all values alike each result is the sum of the kept weights: it varies, and its mean is 1."""
    attention = Attention(4, heads=1, head_width=4, dropout=0.5).double()
    with torch.no_grad():
        attention.queries_keys_values.weight.zero_()
        attention.out.weight.copy_(torch.eye(4))
        attention.out.bias.zero_()
        attention.queries_keys_values.weight[8:] = torch.eye(4)
    sums = attention(torch.ones(500, 4, 4).double())
    assert sums.unique().numel() == 5
    assert abs(float(sums.detach().mean()) - 1) < 0.05


def test_skips_carry_what_came_in() -> None:
    """With silent attention and feed-forward, a block hands its tokens on unchanged, and not their normalised form."""
    model, tokens = saint(), torch.randn(2, 5, 4).double()
    block = model.blocks[0]
    with torch.no_grad():
        for layer in (block.attention.out, block.feedforward.down):
            layer.weight.zero_()
            layer.bias.zero_()
    assert torch.equal(block(tokens), tokens)


def test_tokens_start_as_linear_layers_do() -> None:
    numbers = Saint(
        continuous=400,
        levels=(),
        classes=2,
        dim=8,
        depth=1,
        heads=1,
        row_attention=False,
        attention_dropout=0.0,
        feedforward_dropout=0.0,
    ).tokens.numbers
    for name, inputs in (("weight_in", 1), ("bias_in", 1), ("weight_out", 100), ("bias_out", 100)):
        values = getattr(numbers, name).detach()
        assert 0.98 < float(values.abs().max()) * inputs**0.5 <= 1
        assert abs(float(values.std()) * (3 * inputs) ** 0.5 - 1) < 0.02


def test_pairs_are_mixed_as_tokens() -> None:
    """A share of 1 or 0 is one of the two rows; a share between gives the mixture of the tokens to the blocks."""
    model, own, partner = saint(), table(4), table(4)
    for share, expected in ((1.0, own), (0.0, partner)):
        pairs = mixed_rows.pack(own, partner, torch.full((4,), share))
        torch.testing.assert_close(model(pairs), model(expected))
    shares = torch.rand(4).double()
    tokens = [copy.deepcopy(model.tokens)(rows) for rows in (own, partner)]
    mixed = shares[:, None, None] * tokens[0] + (1 - shares)[:, None, None] * tokens[1]
    torch.testing.assert_close(model.tokens(mixed_rows.pack(own, partner, shares)), mixed)


def test_rows_of_another_table_are_refused() -> None:
    with pytest.raises(DataError, match="built for rows of 5 columns, and got 7"):
        saint()(torch.zeros(2, 7).double())


# Continuous columns, codes per categorical column, width of a token, and the millions of parameters that a supervised
# forward pass of the published code uses, at one block of column and row attention (docs/tabular-models.md).
PUBLISHED = {
    "qsar": (41, (), 32, 23),
    "shrutime": (8, (2932, 3, 2), 32, 2.4),
    "credit": (29, (), 32, 12),
    "volkert": (147, (), 8, 18),
    "arrhythmia": (226, (), 8, 42),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_as_many_as_published(name: str) -> None:
    """But for the published code's second table of the categories, which is counted there and has no use."""
    continuous, levels, dim, published = PUBLISHED[name]
    with torch.device("meta"):
        model = Saint(
            continuous=continuous,
            levels=levels,
            classes=10 if name == "volkert" else 2,
            dim=dim,
            depth=1,
            heads=4,
            row_attention=True,
            attention_dropout=0.8,
            feedforward_dropout=0.8,
        )
    second_table = dim * sum(levels)
    millions = (sum(parameter.numel() for parameter in model.parameters()) + second_table) / 1e6
    assert float(f"{millions:.2g}") == published
