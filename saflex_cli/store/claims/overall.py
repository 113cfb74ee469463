"""Claims of the abstract and the introduction, over all experiments."""

from saflex_cli.store.claims.claim import Chapter, Claim, Finding, Reading
from saflex_cli.store.claims.evidence import none_yet, saflex_against_upstream
from saflex_cli.store.claims.printed import (
    Printed,
    above,
    count,
    listed,
    mean,
    mean_points,
    not_above,
    rounded,
    signed,
)

_TABLES = ("1", "2", "3", "4")


def _average(printed: Printed) -> Finding:
    gains = printed.refinements(*_TABLES)
    average = mean_points(gains)
    by_table = [mean_points(printed.refinements(table)) for table in _TABLES]
    return Finding(
        (
            Reading(
                f"mean of all {len(gains)} printed differences to the upstream augmentation: {signed(average)} points",
                rounded(average, 1) == "1.2",
            ),
        ),
        (
            "by table: " + ", ".join(f"{table}: {signed(m)}" for table, m in zip(_TABLES, by_table, strict=True)),
            f"if every table counted once, not every difference, it would be {signed(mean(by_table))}",
            "the reference is the upstream augmentation, not the better of it and no augmentation: see "
            "the remarks at the end",
        ),
    )


def _everywhere(printed: Printed) -> Finding:
    gains = printed.refinements(*_TABLES)
    lower = not_above(gains)
    return Finding(
        (Reading(f"above its upstream augmentation in {count(above(gains), gains)} comparisons", not lower),),
        (f"not above: {listed(lower, 'backbone')}",),
    )


def _scenarios(printed: Printed) -> Finding:
    tables = dict.fromkeys(key.table for key in printed.numbers if key.method.startswith("saflex_"))
    return Finding((Reading(f"tables that print SAFLEX rows: {', '.join(tables)}", len(tables) == 4),))


def _few_shot(_: Printed) -> Finding:
    return Finding(
        notes=(
            "no table varies the number of samples per class, and none is called few-shot; Section 5 says that the CUB "
            "subset of Table 3 has 25 images per category",
        )
    )


def _self_supervised(_: Printed) -> Finding:
    return Finding(notes=("no table holds self-supervised learning; Table 4 is fine-tuning with labels",))


OVERALL = Chapter(
    "Abstract and introduction",
    (
        Claim(
            "Average improvement of 1.2 %",
            "Section 1, third contribution",
            "Averaged over all experiments, SAFLEX adds 1.2 % (read as percentage points).",
            _average,
            none_yet,
        ),
        Claim(
            "Every augmentation improves",
            "Abstract",
            'SAFLEX "universally enhances" existing augmentations (read as: in every printed comparison).',
            _everywhere,
            saflex_against_upstream,
        ),
        Claim(
            "Four learning scenarios",
            "Section 5",
            "The method is tried in four scenarios: medical images, tabular data, diffusion, contrastive.",
            _scenarios,
        ),
        Claim("Few-shot learning", "Abstract", "SAFLEX excels in few-shot learning.", _few_shot),
        Claim(
            "Self-supervised learning",
            "Appendix B",
            "The experiments show that SAFLEX handles self-supervised learning, among other tasks.",
            _self_supervised,
        ),
    ),
)
