"""Claims about Table 3 (diffusion-generated augmentations) and Table 4 (CLIP fine-tuning)."""

from saflex_cli.store.claims.claim import Chapter, Claim, Finding, Reading
from saflex_cli.store.claims.evidence import none_yet
from saflex_cli.store.claims.printed import (
    Gain,
    Printed,
    Row,
    above,
    beyond,
    count,
    mean_points,
    not_above,
    rounded,
    signed,
    title,
)


def _average(printed: Printed) -> Finding:
    gains = printed.refinements("3")
    average = mean_points(gains)
    return Finding(
        (Reading(f"mean of the {len(gains)} differences: {signed(average)} points", rounded(average, 1) == "1.9"),)
    )


def _every_generator(printed: Printed) -> Finding:
    gains = printed.refinements("3")
    methods = {gain.method for gain in gains}
    return Finding(
        (
            Reading(f"above in {count(above(gains), gains)}", not not_above(gains)),
            Reading(f"{len(methods)} generated augmentations are refined", len(methods) == 3),
        ),
        (f"by more than twice the pooled ± in {count(beyond(gains), gains)}",),
    )


def _more_out_of_distribution(printed: Printed) -> Finding:
    gains = printed.refinements("3")
    outside = [gain for gain in gains if gain.column == "iwildcam_ood"]
    inside = [gain for gain in gains if gain.column == "cub_fine_grained"]
    pairs = [
        f"{title(a.method.removeprefix('saflex_'))} {a.points:+} against {b.points:+}"
        for a, b in zip(outside, inside, strict=True)
    ]
    return Finding(
        (
            Reading(
                f"mean difference: {signed(mean_points(outside))} OOD, {signed(mean_points(inside))} fine-grained",
                mean_points(outside) > mean_points(inside),
            ),
        ),
        (f"one by one: {'; '.join(pairs)}",),
    )


def _subsets(_: Printed) -> Finding:
    return Finding(notes=("needs the subsets themselves, which are another paper's",))


def _flyp_above(printed: Printed) -> Finding:
    readings = []
    for other in ("lp_ft", "zero_shot"):
        gains = printed.gains(Row("4", "flyp"), Row("4", other))
        readings.append(Reading(f"above {title(other)} in {count(above(gains), gains)}", not not_above(gains)))
    return Finding(tuple(readings))


def _randaugment(printed: Printed) -> Finding:
    return _all_above(printed.gains(Row("4", "flyp_randaugment"), Row("4", "flyp")), "FLYP alone")


def _clip(printed: Printed) -> Finding:
    return _all_above(printed.refinements("4"), "FLYP with RandAugment")


def _all_above(gains: tuple[Gain, ...], other: str) -> Finding:
    return Finding(
        (Reading(f"above {other} in {count(above(gains), gains)}: {_each(gains)}", not not_above(gains)),),
        (f"by more than twice the pooled ± in {count(beyond(gains), gains)}",),
    )


def _each(gains: tuple[Gain, ...]) -> str:
    return ", ".join(f"{title(gain.column)} {gain.points:+}" for gain in gains)


DIFFUSION = Chapter(
    "Section 5, diffusion-generated augmentations (Table 3)",
    (
        Claim(
            "Average improvement of 1.9 %",
            "Section 1",
            "SAFLEX adds 1.9 % on average against three diffusion augmentations (read as points).",
            _average,
            none_yet,
        ),
        Claim(
            "All three generators, both tasks",
            "Section 5, below Table 3",
            "SAFLEX raises all three generated augmentations on both tasks.",
            _every_generator,
            none_yet,
        ),
        Claim(
            "More out of distribution",
            "Section 5, below Table 3",
            "The gain is larger in OOD generalisation than in fine-grained classification (read as: on average).",
            _more_out_of_distribution,
        ),
        Claim(
            "The subsets",
            "Section 5",
            "25 images per category of CUB; over 6,000 images of iWildCam in seven classes.",
            _subsets,
        ),
    ),
)

CLIP = Chapter(
    "Section 5, contrastive fine-tuning (Table 4)",
    (
        Claim(
            "FLYP is uniformly better",
            "Section 5",
            "FLYP classifies better than other ways of fine-tuning (of which the table holds LP-FT and zero-shot).",
            _flyp_above,
        ),
        Claim("RandAugment helps FLYP", "Section 5, below Table 4", "RandAugment raises FLYP.", _randaugment),
        Claim(
            "SAFLEX adds to it",
            "Section 5 and caption of Table 4",
            "SAFLEX raises RandAugment, ID and OOD, with and without ensembling.",
            _clip,
            none_yet,
        ),
    ),
)
