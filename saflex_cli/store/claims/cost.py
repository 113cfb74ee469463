"""Claims about cost and about the size of the problem."""

from saflex_cli.store.claims.claim import Chapter, Claim, Finding, Reading
from saflex_cli.store.claims.evidence import Evidence, lp_a3_overhead, overheads, tabular_overheads
from saflex_cli.store.claims.measured import Measured
from saflex_cli.store.claims.printed import Printed
from saflex_cli.store.claims.text_facts import OVERHEAD, OVERHEAD_MIXUP, OVERHEAD_RANDAUGMENT, OVERHEAD_TABULAR


def _average(_: Printed) -> Finding:
    average = (OVERHEAD_RANDAUGMENT + OVERHEAD_MIXUP) / 2
    parts = f"{OVERHEAD_RANDAUGMENT} and {OVERHEAD_MIXUP}"
    # Each of the two may be off by half a percent, and so may their mean; the third is rounded as well.
    agrees = abs(average - OVERHEAD) <= 1
    return Finding((Reading(f"the mean of {parts} is {average:.1f}, and all three are rounded", agrees),))


def _marginal(_: Printed) -> Finding:
    parts = sorted((OVERHEAD_MIXUP, OVERHEAD_RANDAUGMENT, OVERHEAD_TABULAR))
    text = f"no figure belongs to these words; the text's own overheads are {parts[0]} to {parts[-1]} % per epoch"
    return Finding(notes=(text,))


def _no_times(_: Printed) -> Finding:
    return Finding(notes=("no table prints times",))


def _degrees_of_freedom(_: Printed) -> Finding:
    batches, classes, parameters = range(1, 9), range(2, 9), range(1, 80)
    agree = all((b + k * b - (b + 1) >= m) == (k * b > m) for b in batches for k in classes for m in parameters)
    return Finding((Reading("B + KB − (B + 1) ≥ m says the same as KB > m, as all are whole numbers", agree),))


def _problem_sizes(measured: Measured) -> tuple[Evidence, ...]:
    """K times B, and the number of parameters."""
    runs: dict[str, list[tuple[int, int]]] = {}
    for recipe in measured.recipes:
        for report in (report for reports in recipe.reports.values() for report in reports.values()):
            kb = report.data.classes * recipe.recipe.train.batch_size
            runs.setdefault(recipe.protocol, []).append((kb, report.parameters))
    return tuple(
        Evidence(
            protocol,
            (f"KB ≤ {max(kb for kb, _ in own):,} and m ≥ {min(m for _, m in own):,} in {len(own)} runs",),
        )
        for protocol, own in runs.items()
    )


COST = Chapter(
    "Sections 3 and 5, cost",
    (
        Claim(
            "42 % on average",
            "Section 5 and Appendix C",
            "On MedMNIST the overhead of 42 % is the average of 54 % with RandAugment and 31 % with Mixup.",
            _average,
        ),
        Claim(
            "42 % longer epochs on MedMNIST",
            "Section 5 and Appendix C",
            "An epoch takes 54 % longer with RandAugment and 31 % longer with Mixup.",
            _no_times,
            overheads,
        ),
        Claim(
            "81 % longer epochs on tabular data",
            "Appendix C",
            "On the seven tabular sets an epoch takes 81 % longer on average.",
            _no_times,
            tabular_overheads,
        ),
        Claim(
            "Little cost",
            "Abstract and Section 3",
            'The cost is "marginal", the overhead "minimal".',
            _marginal,
        ),
        Claim(
            "LP-A3 takes much longer",
            "Section 5",
            "LP-A3 takes significantly longer to train than SAFLEX.",
            _no_times,
            lp_a3_overhead,
        ),
        Claim(
            "When the problem is under-parametrised",
            "Section 3",
            "The validation gradient can be met exactly when B + KB − (B + 1) ≥ m, that is KB > m, which is rare.",
            _degrees_of_freedom,
            _problem_sizes,
        ),
    ),
)
