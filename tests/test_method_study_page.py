"""Every number with a decimal point on the page about the study of the method stands in the CSV of a study or probe."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("folder", "decimals", "ours"),
    # Ours: the level of the tests; the limit of the rule, and step sizes.
    [("studies", 2, {"0.05", "0.01"}), ("probes", 1, {"1.5", "0.1"})],
)
def test_every_number_stands_in_the_results(folder: str, decimals: int, ours: set[str]) -> None:
    known = set(ours)
    for path in (ROOT / "results" / folder).glob("*.csv"):
        numbers = (abs(float(number)) for number in re.findall(r"-?\d+\.\d{4}", path.read_text()))
        known |= {f"{number:.{decimals}f}" for number in numbers}
    page = re.sub(r"\]\([^)]*\)", "", (ROOT / "docs" / "method-study.md").read_text())
    found = re.findall(rf"(?<![\d.])\d+\.\d{{{decimals}}}(?![\d.])", page)
    assert len(found) > 25
    assert [number for number in found if number not in known] == []
