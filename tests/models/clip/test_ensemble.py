"""Weights between two models: exact at the ends, a weighted mean between them, and chosen on validation data."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from saflex_cli.errors import SaflexValueError
from saflex_cli.models.clip.ensemble import ALPHAS, choose_alpha, interpolate, zero_shot_logits
from tests.models.clip.tiny import CAPTIONS, batches, towers


def states():
    return towers(0).state_dict(), towers(1).state_dict()


def test_both_ends_are_the_models_themselves_bit_by_bit():
    zero_shot, fine_tuned = states()
    net = towers(2)
    for alpha, seed in ((0.0, 0), (1.0, 1)):
        net.load_state_dict(interpolate(zero_shot, fine_tuned, alpha))
        found, labels = zero_shot_logits(net, CAPTIONS, batches())
        expected, _ = zero_shot_logits(towers(seed), CAPTIONS, batches())
        assert torch.equal(found, expected)
        assert torch.equal(labels, torch.cat([part for _, part in batches()]))


@given(alpha=st.floats(0, 1), size=st.integers(1, 5))
def test_between_them_every_number_is_a_weighted_mean(alpha, size):
    zero_shot = {"weight": torch.randn(size, dtype=torch.float64), "count": torch.tensor(1)}
    fine_tuned = {"weight": torch.randn(size, dtype=torch.float64), "count": torch.tensor(9)}
    found = interpolate(zero_shot, fine_tuned, alpha)
    for place in range(size):
        expected = (1 - alpha) * zero_shot["weight"][place] + alpha * fine_tuned["weight"][place]
        assert_close(found["weight"][place], expected)
    assert found["count"] == (1 if alpha == 0 else 9)
    assert found["weight"].data_ptr() != zero_shot["weight"].data_ptr()


def test_what_is_not_finite_stays_where_it_is():
    broken = {"weight": torch.tensor([torch.inf])}
    assert interpolate({"weight": torch.tensor([1.0])}, broken, 0.0)["weight"] == 1


def accuracy(logits, labels):
    return (logits.argmax(1) == labels).double().mean().item()


def test_the_best_alpha_on_validation_data_is_taken():
    """Against a loop over fresh models; the state that the towers hold is not changed under the loop's feet."""
    net = towers(1)
    zero_shot = copy.deepcopy(towers(0).state_dict())
    found = choose_alpha(net, zero_shot, net.state_dict(), captions=CAPTIONS, batches=batches, metric=margin)
    assert list(found.scores) == list(ALPHAS)
    for alpha in ALPHAS:
        fresh = towers(5)
        fresh.load_state_dict(interpolate(*states(), alpha))
        assert found.scores[alpha] == margin(*zero_shot_logits(fresh, CAPTIONS, batches()))
    assert found.scores[found.alpha] == max(found.scores.values())
    assert all(torch.equal(net.state_dict()[name], entry) for name, entry in found.state.items())


def margin(logits, labels):
    """A metric that has no ties."""
    return (logits[torch.arange(len(labels)), labels] - logits.mean(1)).mean().item()


def test_of_equal_scores_the_smaller_alpha_wins():
    net = towers()
    found = choose_alpha(
        net,
        *states(),
        captions=CAPTIONS,
        batches=batches,
        metric=lambda logits, _labels: float(logits.shape == (8, 2)),
        alphas=(1.0, 0.3, 0.6),
    )
    assert found.alpha == 0.3
    assert list(found.scores) == [0.3, 0.6, 1.0]


def test_what_does_not_fit_is_refused():
    zero_shot, fine_tuned = states()
    with pytest.raises(SaflexValueError, match=r"^alpha must be in \[0, 1\], not 1\.5$"):
        interpolate(zero_shot, fine_tuned, 1.5)
    with pytest.raises(SaflexValueError, match="two architectures"):
        interpolate(zero_shot, {**fine_tuned, "more": torch.zeros(1)}, 0.5)
    with pytest.raises(SaflexValueError, match="two architectures"):
        interpolate(zero_shot, {**fine_tuned, "logit_scale": torch.zeros(1)}, 0.5)
    with pytest.raises(SaflexValueError, match=r"^alphas: there are none"):
        choose_alpha(towers(), zero_shot, fine_tuned, captions=CAPTIONS, batches=batches, metric=accuracy, alphas=())
