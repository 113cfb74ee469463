"""Claims about Table 1: MedMNIST with RandAugment and Mixup."""

from collections.abc import Iterable

from saflex_cli.data.medmnist_facts import FACTS
from saflex_cli.store.claims.claim import Chapter, Claim, Finding, Reading
from saflex_cli.store.claims.evidence import (
    saflex_against_lp_a3,
    saflex_against_no_augmentation,
    saflex_against_soft_augmentation,
    saflex_against_upstream,
    upstream_against_no_augmentation,
)
from saflex_cli.store.claims.printed import (
    Gain,
    Printed,
    Row,
    above,
    better,
    beyond,
    count,
    listed,
    mean,
    mean_points,
    not_above,
    rounded,
    signed,
    title,
)
from saflex_cli.store.claims.text_facts import MEDICAL_SETS

NO_AUG = Row("1", "no_aug")
RANDAUGMENT = Row("1", "saflex_randaugment")
MIXUP = Row("1", "saflex_mixup")


def _sets(printed: Printed) -> Finding:
    columns = printed.columns("1")
    classes = {name: len(FACTS[name].class_names) for name in MEDICAL_SETS}
    return Finding(
        (
            Reading(f"Table 1 has {len(columns)} columns", len(columns) == 8),
            Reading(
                f"every set has more than two classes: {min(classes.values())} at least", min(classes.values()) > 2
            ),
        )
    )


def _sizes(_: Printed) -> Finding:
    totals = {name: sum(FACTS[name].sizes) for name in MEDICAL_SETS}
    classes = {name: len(FACTS[name].class_names) for name in MEDICAL_SETS}
    small, large = min(totals, key=totals.__getitem__), max(totals, key=totals.__getitem__)
    few, many = min(classes, key=classes.__getitem__), max(classes, key=classes.__getitem__)
    return Finding(
        (
            Reading(
                f"all splits together: {totals[small]:,} images ({title(small)}) to {totals[large]:,} ({title(large)})",
                (round(totals[small] / 1000), round(totals[large] / 1000)) == (10, 236),
            ),
            Reading(
                f"classes: {classes[few]} ({title(few)}) to {classes[many]} ({title(many)})",
                (classes[few], classes[many]) == (4, 11),
            ),
        ),
        ("checked against the official files' sizes in saflex_cli/data/medmnist_facts.py",),
    )


def _largest(printed: Printed) -> Finding:
    gains = printed.refinements("1")
    top = max(gains, key=lambda gain: gain.points)
    over_nothing = (*printed.gains(RANDAUGMENT, NO_AUG), *printed.gains(MIXUP, NO_AUG))
    best = max(over_nothing, key=lambda gain: gain.points)
    return Finding(
        (
            Reading(
                f"largest difference to the upstream augmentation: {listed([top])}", rounded(top.points, 1) == "3.6"
            ),
        ),
        (f"largest difference to no augmentation: {listed([best])}",),
    )


def _significant(printed: Printed) -> Finding:
    gains = printed.refinements("1")
    clear = [gain for gain in beyond(gains) if gain.points > 0]
    by_upstream = [(method, [g for g in gains if g.method == method.method]) for method in (RANDAUGMENT, MIXUP)]
    return Finding(
        (
            Reading(f"above the upstream augmentation in {count(above(gains), gains)}", not not_above(gains)),
            Reading(f"and by more than twice the pooled ± in {count(clear, gains)}", len(clear) == len(gains)),
        ),
        (
            "mean difference to the upstream augmentation: "
            + ", ".join(f"{signed(mean_points(own))} with {_upstream(row)}" for row, own in by_upstream),
            "the text names no test, no number of runs, and not what ± is",
        ),
    )


def _above_nothing(printed: Printed) -> Finding:
    first, second = printed.gains(RANDAUGMENT, NO_AUG), printed.gains(MIXUP, NO_AUG)
    gains, best = first + second, better(first, second)
    least = min(best, key=lambda gain: gain.points)
    return Finding(
        (Reading(f"above no augmentation in {count(above(gains), gains)}", not not_above(gains)),),
        (
            f"not above: {listed(not_above(gains))}",
            f"the better of the two SAFLEX rows is above in {count(above(best), best)}, least on {title(least.column)} "
            f"({signed(least.points)}); that choice is made on the printed test results",
            f"mean difference to no augmentation: {signed(mean_points(first))} with RandAugment, "
            f"{signed(mean_points(second))} with Mixup",
        ),
    )


def _upstream_hurts(printed: Printed) -> Finding:
    readings = []
    for method in ("randaugment", "mixup"):
        gains = printed.gains(Row("1", method), NO_AUG)
        below = [gain for gain in gains if gain.points < 0]
        text = f"{title(method)} is below no augmentation in {count(below, gains)} (mean {signed(mean_points(gains))})"
        readings.append(Reading(text, len(below) == len(gains)))
    return Finding(tuple(readings))


def _over_soft_augmentation(printed: Printed) -> Finding:
    other = Row("7", "soft_augmentation_crop")
    first, second = printed.gains(RANDAUGMENT, other), printed.gains(MIXUP, other)
    every, best = first + second, better(first, second)
    average = min(mean_points(first), mean_points(second))
    return Finding(
        (
            Reading(f"every SAFLEX row, every set: above in {count(above(every), every)}", not not_above(every)),
            Reading(f"the better SAFLEX row, every set: above in {count(above(best), best)}", not not_above(best)),
            Reading(f"averaged over the sets: both SAFLEX rows above, by {signed(average)} or more", average > 0),
        ),
        (
            f"not above: {listed(not_above(every))}",
            "Soft-Augmentation has crop as its upstream augmentation, SAFLEX has RandAugment or Mixup",
        ),
    )


def _over_lp_a3(printed: Printed) -> Finding:
    other = Row("8", "lp_a3")
    first, second = printed.gains(RANDAUGMENT, other), printed.gains(MIXUP, other)
    every, best = first + second, better(first, second)
    return Finding(
        (
            Reading(
                f"the better SAFLEX row, every set: above in {count(above(best), best)}, and lower by more than twice "
                f"the pooled ± in {count(_clearly_lower(best), best)}",
                not _clearly_lower(best),
            ),
            Reading(
                f"every SAFLEX row, every set: above in {count(above(every), every)}, and lower by more than twice the "
                f"pooled ± in {count(_clearly_lower(every), every)}",
                not _clearly_lower(every),
            ),
        ),
        (
            f"not above: {listed(not_above(every))}",
            "averages over the eight sets: "
            f"LP-A3 {rounded(mean(gain.theirs for gain in first))}, SAFLEX "
            f"{rounded(mean(gain.ours for gain in first))} with RandAugment and "
            f"{rounded(mean(gain.ours for gain in second))} with Mixup",
            "the LP-A3 row is said to be copied from its own paper: whether the protocols agree cannot be seen here",
        ),
    )


def _clearly_lower(gains: Iterable[Gain]) -> list[Gain]:
    return [gain for gain in beyond(gains) if gain.points < 0]


def _upstream(row: Row) -> str:
    return title(row.method.removeprefix("saflex_"))


MEDICAL = Chapter(
    "Section 5, medical images (Table 1)",
    (
        Claim("Eight multi-class sets", "Section 5", "Eight MedMNIST sets, classified into many classes.", _sets),
        Claim("Size of the sets", "Section 5", "10K to 236K images and 4 to 11 classes per set.", _sizes),
        Claim(
            "Up to 3.6 %",
            "Section 1",
            "On the eight sets SAFLEX raises RandAugment and Mixup by up to 3.6 % (read as points).",
            _largest,
        ),
        Claim(
            "Significant on all eight sets",
            "Section 5, caption of Table 1",
            'SAFLEX "significantly enhances" RandAugment and Mixup across the eight sets.',
            _significant,
            saflex_against_upstream,
        ),
        Claim(
            "Above no augmentation throughout",
            "Appendix C, below Table 7",
            'SAFLEX is "consistently higher" than no augmentation.',
            _above_nothing,
            saflex_against_no_augmentation,
        ),
        Claim(
            "RandAugment and Mixup lower accuracy",
            "Appendix C, below Table 7; Section 5 says that RandAugment sometimes does",
            "Applied directly, RandAugment or Mixup lowers the performance on medical images.",
            _upstream_hurts,
            upstream_against_no_augmentation,
        ),
        Claim(
            "Better than Soft-Augmentation",
            "Section 5; Tables 1 and 7",
            "With the upstream augmentations of Table 1, SAFLEX is better than Soft-Augmentation.",
            _over_soft_augmentation,
            saflex_against_soft_augmentation,
        ),
        Claim(
            "Comparable or superior to LP-A3",
            "Section 5; Tables 1 and 8",
            "With the same, SAFLEX is comparable or superior to LP-A3 (read as: nowhere lower by more than twice the "
            "pooled ±).",
            _over_lp_a3,
            saflex_against_lp_a3,
        ),
    ),
)
