from decimal import Decimal
from math import sqrt

import pytest
from scipy.stats import t

from saflex_cli.errors import RecipeError
from saflex_cli.store.claims.printed import Printed, Row, better, listed, mean_points, rounded, signed
from saflex_cli.store.claims.remarks import REMARKS, is_reachable
from saflex_cli.store.published import Published, PublishedKey


def numbers(**rows: tuple[float, float]) -> Printed:
    return Printed({PublishedKey("1", "octmnist", "resnet18", row): Published(*value) for row, value in rows.items()})


def test_differences_are_exact():
    (gain,) = numbers(mixup=(0.1, 0.3), saflex_mixup=(0.3, 0.4)).refinements("1")
    assert gain.points == Decimal("0.20")
    assert float(gain.pooled) == pytest.approx(sqrt((0.3**2 + 0.4**2) / 2))
    assert not gain.is_beyond


@pytest.mark.parametrize(("ours", "is_beyond"), [(90.60, False), (90.61, True), (89.40, False), (89.39, True)])
def test_twice_the_pooled_spread_itself_is_within(ours: float, is_beyond: bool):
    (gain,) = numbers(mixup=(90.0, 0.3), saflex_mixup=(ours, 0.3)).refinements("1")
    assert gain.is_beyond is is_beyond


def test_against_a_row_of_another_table(printed: Printed):
    gains = printed.gains(Row("7", "crop"), Row("1", "no_aug"))
    assert len(gains) == 8
    assert listed(gains[:1], "") == "Path (92.68 against 94.34, -1.66)"


def test_one_place_in_table_4(printed: Printed):
    assert listed(printed.refinements("4")[:1], "") == "ID (52.7 against 52.4, +0.3)"


def test_rows_that_are_not_there_are_an_error(printed: Printed):
    with pytest.raises(RecipeError, match="no column has both 1/no_aug and 2/crop"):
        printed.gains(Row("1", "no_aug"), Row("2", "crop"))


def test_the_better_of_two_rows(printed: Printed):
    rows = [printed.gains(Row("1", row), Row("1", "no_aug")) for row in ("saflex_randaugment", "saflex_mixup")]
    assert [gain.ours for gain in better(*rows)] == [
        Decimal(text) for text in ("95.11", "76.94", "68.31", "97.21", "79.63", "95.32", "92.73", "82.85")
    ]


def test_halves_go_up(printed: Printed):
    assert mean_points(printed.refinements("4")) == Decimal("0.375")
    assert (rounded(Decimal("0.375")), signed(Decimal("-0.125")), signed(Decimal(0))) == ("0.38", "-0.13", "+0.00")


@pytest.mark.parametrize(
    ("percent", "runs", "reachable"),
    [("78.67", 3, True), ("78.67", 5, False), ("79.54", 3, False), ("79.54", 5, True), ("76.00", 1, True)],
)
def test_reachable_means_over_1000_images(percent: str, runs: int, reachable: bool):
    assert is_reachable(Decimal(percent), 1000 * runs) is reachable
    every = {f"{100 * hits / (1000 * runs):.2f}" for hits in range(1000 * runs + 1)}
    assert (percent in every) is reachable


def remark(printed: Printed, title: str) -> str:
    return "\n".join(next(remark for remark in REMARKS if remark.title.startswith(title)).lines(printed))


def test_remarks_by_hand(printed: Printed):
    beyond = remark(printed, "SAFLEX against its upstream")
    assert [line.split(" are ")[0] for line in beyond.splitlines()] == [
        "Table 1: 16 of 16",
        "Table 2: 11 of 14",
        "Table 3: 2 of 6",
        "Table 4: 0 of 4",
    ]
    assert "Table 1: SAFLEX +0.31 on average, above in 14 of 16" in remark(printed, "SAFLEX against no augmentation")
    metric = remark(printed, "What Table 2")
    assert "22 lie below" in metric
    assert "Credit 6 (at most 79.93; share 99.83)" in metric
    assert "Appetency 49.03 (no augmentation, MLP), Appetency 48.98 (CutMix, MLP)" in metric
    runs = remark(printed, "How many runs")
    assert "n = 3 cannot give SAFLEX with Mixup, Soft-Augmentation" in runs
    assert "is 8:" in runs
    assert "n ≥ 218" in remark(printed, "What ± may be")


@pytest.mark.parametrize(("runs", "factor"), [(3, 2.27), (5, 1.46)])
def test_the_factors_of_the_introduction(runs: int, factor: float):
    assert t.ppf(0.975, 2 * runs - 2) * sqrt(2 / runs) == pytest.approx(factor, abs=0.005)
