"""Verdicts on the real numbers, against values worked out by hand; and verdicts on changed numbers."""

import csv
from decimal import Decimal

import pytest

from saflex_cli.store.claims.claim import Finding, Reading, Verdict
from saflex_cli.store.claims.document import CHAPTERS
from saflex_cli.store.claims.printed import Printed
from saflex_cli.store.published import Published, PublishedKey

from .conftest import TABLES, find_claim

HOLDS, FAILS = Reading("", holds=True), Reading("", holds=False)

EXPECTED = {
    "Average improvement of 1.2 %": (Verdict.TRUE, "all 40 printed differences to the upstream augmentation: +1.21"),
    "Every augmentation improves": (Verdict.FALSE, "38 of 40"),
    "Four learning scenarios": (Verdict.TRUE, "1, 2, 3, 4"),
    "Few-shot learning": (Verdict.NOT_CHECKABLE, "no table"),
    "Eight multi-class sets": (Verdict.TRUE, "4 at least"),
    "Size of the sets": (Verdict.TRUE, "10,015 images (Derma) to 236,386 (Tissue)"),
    "Up to 3.6 %": (Verdict.TRUE, "OCT with RandAugment (79.63 against 76.00, +3.63)"),
    "Significant on all eight sets": (Verdict.TRUE, "+2.07 with RandAugment, +1.34 with Mixup"),
    "Above no augmentation throughout": (Verdict.FALSE, "Tissue with RandAugment (64.32 against 68.28, -3.96)"),
    "RandAugment and Mixup lower accuracy": (Verdict.TRUE, "Mixup is below no augmentation in 8 of 8"),
    "Better than Soft-Augmentation": (Verdict.DEPENDS, "13 of 16"),
    "Comparable or superior to LP-A3": (Verdict.DEPENDS, "LP-A3 85.74, SAFLEX 85.37 with RandAugment and 85.71"),
    "Soft-Augmentation below no augmentation": (Verdict.TRUE, "7 of 8; above on Derma"),
    "Crop lowers most sets": (Verdict.TRUE, "6 of 8"),
    "Soft-Augmentation against crop": (Verdict.TRUE, "OrganC (91.44 against 90.29, +1.15)"),
    "SAFLEX outperforms CutMix": (Verdict.FALSE, "Arrhythmia with SAINT (85.27 against 85.32, -0.05)"),
    "Almost everywhere": (Verdict.TRUE, "12 of 14"),
    "More with MLP": (Verdict.TRUE, "+0.90 with MLP, +0.25 with SAINT"),
    "More with discrete features": (Verdict.FALSE, "+0.35 on Click and Shrutime, +0.67 on the other sets"),
    "Volkert": (Verdict.DEPENDS, "MLP: +0.31, rank 6 of 7; mean +0.90"),
    "Seven sets, 452 to 494K samples": (Verdict.TRUE, "452 to 494,021"),
    "Table 5 agrees with itself": (Verdict.TRUE, "add up in 7 of 7"),
    "Table 5's counts": (Verdict.NOT_CHECKABLE, "Volkert 58,310 × 147"),
    "Average improvement of 1.9 %": (Verdict.TRUE, "+1.91"),
    "All three generators, both tasks": (Verdict.TRUE, "6 of 6"),
    "More out of distribution": (Verdict.TRUE, "+2.31 OOD, +1.51 fine-grained"),
    "FLYP is uniformly better": (Verdict.TRUE, "above LP-FT in 4 of 4"),
    "RandAugment helps FLYP": (Verdict.TRUE, "ID +0.2, OOD +0.7, ID ensembled +0.1, OOD ensembled +0.5"),
    "SAFLEX adds to it": (Verdict.TRUE, "more than twice the pooled ± in 0 of 4"),
    "42 % on average": (Verdict.TRUE, "42.5"),
    "42 % longer epochs on MedMNIST": (Verdict.NOT_CHECKABLE, "no table prints times"),
    "When the problem is under-parametrised": (Verdict.TRUE, "whole numbers"),
}
"""Worked out from the printed tables with a calculator."""


@pytest.mark.parametrize("title", EXPECTED)
def test_on_the_real_numbers(printed: Printed, title: str):
    verdict, text = EXPECTED[title]
    finding = find_claim(title).check(printed)
    assert finding.verdict is verdict
    assert any(text in line for line in (*(reading.text for reading in finding.readings), *finding.notes))


def test_titles_are_unique():
    titles = [claim.title for chapter in CHAPTERS for claim in chapter.claims]
    assert len(set(titles)) == len(titles)


def test_nothing_unchecked_is_silent(printed: Printed):
    findings = [claim.check(printed) for chapter in CHAPTERS for claim in chapter.claims]
    assert all(finding.readings or finding.notes for finding in findings)


@pytest.mark.parametrize(
    ("readings", "verdict"),
    [
        ((), Verdict.NOT_CHECKABLE),
        ((HOLDS,), Verdict.TRUE),
        ((HOLDS, HOLDS), Verdict.TRUE),
        ((FAILS,), Verdict.FALSE),
        ((FAILS, FAILS), Verdict.FALSE),
        ((HOLDS, FAILS), Verdict.DEPENDS),
    ],
)
def test_verdict_from_readings(readings: tuple[Reading, ...], verdict: Verdict):
    assert Finding(readings).verdict is verdict


@pytest.mark.parametrize(
    ("title", "changes", "verdict"),
    [
        ("Average improvement of 1.2 %", {("3", "iwildcam_ood", "resnet50", "saflex_img2img"): 80.0}, Verdict.FALSE),
        (
            "Every augmentation improves",
            {("2", "arrhythmia", "saint", "saflex_cutmix"): 85.4, ("2", "qsar", "saint", "saflex_cutmix"): 98.7},
            Verdict.TRUE,
        ),
        (
            "Above no augmentation throughout",
            {
                ("1", "tissuemnist", "resnet18", "saflex_randaugment"): 68.3,
                ("1", "pathmnist", "resnet18", "saflex_mixup"): 94.4,
            },
            Verdict.TRUE,
        ),
        ("Up to 3.6 %", {("1", "octmnist", "resnet18", "saflex_randaugment"): 79.66}, Verdict.FALSE),
        # Still above RandAugment, yet no longer by twice the pooled ±: one reading holds, the other does not.
        (
            "Significant on all eight sets",
            {("1", "organcmnist", "resnet18", "saflex_randaugment"): 91.5},
            Verdict.DEPENDS,
        ),
        (
            "RandAugment and Mixup lower accuracy",
            {("1", "organamnist", "resnet18", "mixup"): 94.3},
            Verdict.DEPENDS,
        ),
        ("SAFLEX adds to it", {("4", "iwildcam_id", "clip_vit_b16", "saflex_flyp_randaugment"): 52.3}, Verdict.FALSE),
        (
            "Crop lowers most sets",
            {("1", name, "resnet18", "no_aug"): 50.0 for name in ("pathmnist", "octmnist")},
            Verdict.FALSE,
        ),
        ("Almost everywhere", {("2", "qsar", "saint", "saflex_cutmix"): 90.0}, Verdict.FALSE),
        ("More with MLP", {("2", "credit", "saint", "saflex_cutmix"): 90.0}, Verdict.FALSE),
    ],
)
def test_changed_numbers_change_the_verdict(
    printed: Printed, title: str, changes: dict[tuple[str, str, str, str], float], verdict: Verdict
):
    numbers = dict(printed.numbers)
    for place, value in changes.items():
        key = PublishedKey(*place)
        numbers[key] = Published(value, numbers[key].std)
    assert find_claim(title).check(Printed(numbers)).verdict is verdict


def test_the_average_the_slow_way(printed: Printed):
    """From the raw lines, in hundredths of a point."""
    with (TABLES / "published.csv").open() as file:
        cells = {(r["table"], r["column"], r["backbone"], r["method"]): r["mean"] for r in csv.DictReader(file)}
    deltas = []
    for (table, column, backbone, method), text in cells.items():
        if method.startswith("saflex_"):
            other = cells[table, column, backbone, method[len("saflex_") :]]
            deltas.append(round(100 * float(text)) - round(100 * float(other)))
    assert (len(deltas), sum(deltas)) == (40, 4837)
    gains = printed.refinements("1", "2", "3", "4")
    assert sorted(gain.points for gain in gains) == sorted(Decimal(delta) / 100 for delta in deltas)
