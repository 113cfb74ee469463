"""Claims of Appendix C about Table 7: crop and Soft-Augmentation on MedMNIST."""

from saflex_cli.store.claims.claim import Chapter, Claim, Finding, Reading
from saflex_cli.store.claims.evidence import (
    crop_against_no_augmentation,
    soft_augmentation_against_crop,
    soft_augmentation_against_no_augmentation,
)
from saflex_cli.store.claims.printed import Printed, Row, above, count, listed, mean_points, not_above, signed, title

_NO_AUG = Row("1", "no_aug")
_CROP = Row("7", "crop")
_SOFT = Row("7", "soft_augmentation_crop")
_SAID_TO_GAIN = {"dermamnist", "bloodmnist", "organcmnist", "organsmnist"}


def _below_nothing(printed: Printed) -> Finding:
    gains = printed.gains(_SOFT, _NO_AUG)
    higher = above(gains)
    return Finding(
        (
            Reading(
                f"below no augmentation in {count(not_above(gains), gains)}; above on "
                f"{', '.join(title(gain.column) for gain in higher) or 'none'}",
                {gain.column for gain in higher} == {"dermamnist"},
            ),
        ),
        (f"mean difference: {signed(mean_points(gains))}",),
    )


def _crop_hurts(printed: Printed) -> Finding:
    gains = printed.gains(_CROP, _NO_AUG)
    lower = not_above(gains)
    return Finding(
        (Reading(f"crop is below no augmentation in {count(lower, gains)}", 2 * len(lower) > len(gains)),),
        (f"above: {listed(above(gains), '')}",),
    )


def _over_crop(printed: Printed) -> Finding:
    gains = printed.gains(_SOFT, _CROP)
    higher, lower = above(gains), not_above(gains)
    return Finding(
        (
            Reading(f"above crop: {listed(higher, '')}", {gain.column for gain in higher} == _SAID_TO_GAIN),
            Reading(f"below crop: {listed(lower, '')}", {gain.column for gain in lower}.isdisjoint(_SAID_TO_GAIN)),
        ),
        (f"mean difference: {signed(mean_points(gains))}",),
    )


SOFT_AUGMENTATION = Chapter(
    "Appendix C, Soft-Augmentation (Table 7)",
    (
        Claim(
            "Soft-Augmentation below no augmentation",
            "Appendix C, below Table 7",
            "Soft-Augmentation is below no augmentation on every set but DermaMNIST.",
            _below_nothing,
            soft_augmentation_against_no_augmentation,
        ),
        Claim(
            "Crop lowers most sets",
            "Appendix C, below Table 7",
            "Crop alone lowers the accuracy on most of the sets.",
            _crop_hurts,
            crop_against_no_augmentation,
        ),
        Claim(
            "Soft-Augmentation against crop",
            "Appendix C, below Table 7",
            "Soft-Augmentation gains on Derma, Blood, OrganC and OrganS, and loses on Path, Tissue, OCT and OrganA.",
            _over_crop,
            soft_augmentation_against_crop,
        ),
    ),
)
