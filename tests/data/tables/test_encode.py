"""Encoding is fitted on the training rows alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from saflex_cli.data.tables.encode import Scaling, encode
from saflex_cli.data.tables.table import Numbers, Texts
from tests.data.tables.made_up import table

TRAIN = np.arange(0, 40, 2)
OTHERS = np.arange(1, 40, 2)


def test_standardised_by_train() -> None:
    made = table()
    inputs = encode(made, TRAIN, "standardise").inputs
    for index, column in enumerate(made.continuous):
        known = [value for value in column.values[TRAIN].tolist() if value == value]
        mean = sum(known) / len(known)
        deviation = (sum((value - mean) ** 2 for value in known) / len(known)) ** 0.5
        np.testing.assert_allclose(inputs[:, index], (column.values - mean) / deviation, rtol=1e-5)
    assert np.isnan(inputs[:, 1]).sum() == np.isnan(made.continuous[1].values).sum() > 0
    assert inputs.dtype == np.float32


def test_codes_number_the_levels_of_train_in_the_order_of_their_texts() -> None:
    texts = Texts("c", np.array([0, 1, 2, 3, 0, 4]), ("b", "a", "", "never seen", "c"))
    encoded = encode(table(6, continuous=(), categorical=(texts,)), np.array([0, 1, 2]), "standardise")
    assert encoded.inputs[:, 0].tolist() == [3, 2, 1, 0, 3, 0]
    assert encoded.levels == (4,)


def test_quantiles_are_those_of_the_normal_distribution() -> None:
    values = np.concatenate([np.exp(np.arange(101) / 10), [-1e9, 1e9]])
    made = table(103, continuous=(Numbers("a", values),), categorical=())
    inputs = encode(made, np.arange(101), "quantile_normal").inputs[:, 0]
    np.testing.assert_allclose(inputs[1:100], norm.ppf(np.arange(1, 100) / 100), atol=1e-5)
    assert inputs[101] == inputs[0] == pytest.approx(-5.2, abs=0.01)
    assert inputs[102] == inputs[100] == pytest.approx(5.2, abs=0.01)


@pytest.mark.parametrize("scaling", ["standardise", "quantile_normal"])
def test_columns_from_which_train_teaches_nothing(scaling: Scaling) -> None:
    constant = np.where(np.arange(40) % 2 == 0, 0.1, 7e9)
    constant[0] = np.nan
    empty = np.where(np.arange(40) % 2 == 0, np.nan, 3.0)
    made = table(continuous=(Numbers("constant", constant), Numbers("empty", empty)), categorical=())
    inputs = encode(made, TRAIN, scaling).inputs
    assert np.isnan(inputs[0, 0])
    assert (inputs[1:, 0] == 0).all()
    assert np.isnan(inputs[:, 1]).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from(["standardise", "quantile_normal"]))
def test_no_other_row_changes_the_inputs_of_train(seed: int, scaling: Scaling) -> None:
    """Values, missing cells and levels of the other rows may be anything."""
    made, random = table(), np.random.default_rng(seed)

    def changed(values: np.ndarray, to: np.ndarray) -> np.ndarray:
        result = values.copy()
        result[OTHERS] = to
        return result

    continuous = tuple(
        Numbers(
            column.name,
            changed(column.values, np.where(random.random(20) < 0.3, np.nan, 1e6 * random.standard_normal(20))),
        )
        for column in made.continuous
    )
    texts = made.categorical[0]
    codes = changed(texts.codes, random.integers(0, 6, 20))
    other = table(continuous=continuous, categorical=(Texts("c", codes, (*texts.levels, "a", "zz")),))
    before, after = encode(made, TRAIN, scaling), encode(other, TRAIN, scaling)
    np.testing.assert_array_equal(before.inputs[TRAIN], after.inputs[TRAIN])
    assert before.levels == after.levels


@given(st.permutations(range(4)))
def test_the_order_of_levels_in_the_file_does_not_matter(order: list[int]) -> None:
    texts = table().categorical[0]
    back = np.argsort(order)
    other = Texts("c", back[texts.codes], tuple(texts.levels[index] for index in order))
    assert tuple(other.levels[code] for code in other.codes) == tuple(texts.levels[code] for code in texts.codes)
    np.testing.assert_array_equal(
        encode(table(categorical=(other,)), TRAIN, "standardise").inputs,
        encode(table(), TRAIN, "standardise").inputs,
    )
