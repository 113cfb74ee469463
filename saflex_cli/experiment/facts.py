"""What a report states about wrong samples: how many a pool holds, and what SAFLEX made of wrong labels."""

from saflex_cli.data.pool import Pool
from saflex_cli.store.report import LabelFacts, PoolFacts


def pool_facts(pool: Pool) -> PoolFacts:
    """How many samples of a pool are wrong, and how."""
    return PoolFacts(
        size=len(pool),
        wrong_labels=int(pool.mislabelled.sum()),
        wrong_inputs=int(pool.scrambled.sum()),
        wrong_both=int((pool.mislabelled & pool.scrambled).sum()),
    )


def label_facts(sums: list[list[float]]) -> LabelFacts | None:
    """The sums of a run, as `saflex_cli.train.true_labels` has them, in words; None where there are none."""
    if not sums:
        return None
    (wrong, wrong_weight, recovered), (right, right_weight, kept), (classless, classless_weight, _) = sums

    def share(value: float, count: float) -> float | None:
        return value / count if count else None

    return LabelFacts(
        wrong=int(wrong),
        right=int(right),
        classless=int(classless),
        mean_weight_wrong=share(wrong_weight, wrong),
        mean_weight_right=share(right_weight, right),
        mean_weight_classless=share(classless_weight, classless),
        recovered=share(recovered, wrong),
        kept=share(kept, right),
    )
