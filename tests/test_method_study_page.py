"""Every number with two decimals on the page about the study of the method stands in the CSV of a study."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NUMBER = re.compile(r"(?<![\d.])\d+\.\d\d(?![\d.])")


def test_every_number_stands_in_a_study() -> None:
    known = {"0.05"}  # the level of the tests
    for study in (ROOT / "results" / "studies").glob("*.csv"):
        known |= {f"{abs(float(number)):.2f}" for number in re.findall(r"-?\d+\.\d{4}", study.read_text())}
    found = NUMBER.findall((ROOT / "docs" / "method-study.md").read_text())
    assert len(found) > 25
    assert [number for number in found if number not in known] == []
