"""The numbers in docs/figure2b.md follow from the committed output of `saflex show`."""

import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "figure2b.md").read_text()
METHODS = ("saflex_paper", "saflex_weights_only", "saflex_proximal", "bootstrap")
FEW, MORE, OTHERS, REST = range(4)
WEIGHT, CHANGED, FOLLOWS = range(3)


def read_numbers() -> dict[str, np.ndarray]:
    """Per method (seeds, groups, values)."""
    found: dict[str, list[list[list[float]]]] = defaultdict(list)
    seeds: list[list[list[float]]] = []
    for line in (ROOT / "docs" / "figures" / "figure2b.txt").read_text().splitlines():
        if line.startswith("study/figure2b "):
            seeds = found[line.split()[1]]
            seeds.append([])
        elif re.match(r"(few|more|among|not) ", line):
            seeds[-1].append([float(word) for word in line.split()[-3:]])
    return {method: np.array(values) for method, values in found.items()}


NUMBERS = read_numbers()


def interval(differences: np.ndarray) -> tuple[float, float, float]:
    """Mean, and its 95 % interval by the t test."""
    half = t.ppf(0.975, len(differences) - 1) * differences.std(ddof=1) / len(differences) ** 0.5
    mean = differences.mean()
    return mean, mean - half, mean + half


def written(differences: np.ndarray) -> str:
    if not differences.any():
        return "–"
    mean, low, high = interval(differences)
    text = f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"
    return f"**{text}**" if low * high > 0 else text


def test_there_are_five_seeds_of_four_groups() -> None:
    assert tuple(NUMBERS) == METHODS
    assert {values.shape for values in NUMBERS.values()} == {(5, 4, 3)}


@pytest.mark.parametrize("method", METHODS)
def test_the_tables_follow_from_the_output(method: str) -> None:
    values = NUMBERS[method]
    means = values.mean(0)
    for first, second in ((FEW, MORE), (OTHERS, REST)):
        difference = written(values[:, first, WEIGHT] - values[:, second, WEIGHT])
        assert f"| {method} | {means[first, WEIGHT]:.3f} | {means[second, WEIGHT]:.3f} | {difference} |" in DOCUMENT
    labels = (means[OTHERS, CHANGED], means[REST, CHANGED], means[OTHERS, FOLLOWS])
    assert f"| {method} | {labels[0]:.1f} | {labels[1]:.1f} | {labels[2]:.1f} |" in DOCUMENT


def test_what_the_alignment_adds_to_the_ablation() -> None:
    shares = (NUMBERS[method][:, OTHERS, CHANGED] for method in ("saflex_proximal", "bootstrap"))
    mean, low, high = interval(np.subtract(*shares))
    assert f"Π adds {mean:.1f} points [{low:.1f}, {high:.1f}]" in DOCUMENT


def test_pictures_are_small() -> None:
    sizes = [path.stat().st_size for path in (ROOT / "docs" / "figures").glob("*.png")]
    assert len(sizes) >= 2
    assert max(sizes) < 150_000
