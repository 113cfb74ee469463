"""Claims about Table 2 and Table 5: tabular data with CutMix."""

from saflex_cli.store.claims.claim import Chapter, Claim, Finding, Reading
from saflex_cli.store.claims.evidence import none_yet
from saflex_cli.store.claims.printed import (
    Printed,
    above,
    beyond,
    count,
    listed,
    mean_points,
    not_above,
    signed,
    title,
)
from saflex_cli.store.claims.text_facts import TABLE_5

_DISCRETE = ("click", "shrutime")
_BACKBONES = ("mlp", "saint")


def _caption(printed: Printed) -> Finding:
    gains = printed.refinements("2")
    return Finding(
        (Reading(f"above CutMix in {count(above(gains), gains)}", not not_above(gains)),),
        (f"not above: {listed(not_above(gains), 'backbone')}",),
    )


def _almost(printed: Printed) -> Finding:
    gains = printed.refinements("2")
    lost = [gain for gain in beyond(gains) if gain.points < 0]
    return Finding(
        (
            Reading(
                f"above CutMix in {count(above(gains), gains)}, and lower by more than twice the pooled ± in "
                f"{count(lost, gains)}",
                2 * len(above(gains)) > len(gains) and not lost,
            ),
        ),
        (f"mean difference: {signed(mean_points(gains))} points",),
    )


def _more_with_mlp(printed: Printed) -> Finding:
    mlp, saint = (mean_points(printed.refinements("2", backbone=backbone)) for backbone in _BACKBONES)
    return Finding(
        (Reading(f"mean difference to CutMix: {signed(mlp)} with MLP, {signed(saint)} with SAINT", mlp > saint),)
    )


def _more_with_discrete(printed: Printed) -> Finding:
    gains = printed.refinements("2")
    named = [gain for gain in gains if gain.column in _DISCRETE]
    others = [gain for gain in gains if gain.column not in _DISCRETE]
    shares = ", ".join(
        f"{title(name)} {facts.categorical} of {facts.features}" for name, facts in TABLE_5.items() if facts.categorical
    )
    return Finding(
        (
            Reading(
                f"mean difference to CutMix over both backbones: {signed(mean_points(named))} on Click and Shrutime, "
                f"{signed(mean_points(others))} on the other sets",
                mean_points(named) > mean_points(others),
            ),
        ),
        (f"sets with categorical features in Table 5: {shares}",),
    )


def _volkert(printed: Printed) -> Finding:
    readings = []
    for backbone in _BACKBONES:
        gains = printed.refinements("2", backbone=backbone)
        own = next(gain for gain in gains if gain.column == "volkert")
        rank = 1 + sum(gain.points > own.points for gain in gains)
        text = (
            f"{title(backbone)}: {signed(own.points)}, rank {rank} of {len(gains)}; mean {signed(mean_points(gains))}"
        )
        readings.append(Reading(text, own.points > mean_points(gains)))
    return Finding(tuple(readings))


def _counts(printed: Printed) -> Finding:
    columns = printed.columns("2")
    sizes = sorted(facts.size for facts in TABLE_5.values())
    many = [name for name, facts in TABLE_5.items() if facts.classes != 2]
    return Finding(
        (
            Reading(f"Table 2 has {len(columns)} columns, Table 5 lists {len(TABLE_5)} sets", _same(columns)),
            Reading(f"sizes {sizes[0]:,} to {sizes[-1]:,}", (sizes[0], round(sizes[-1] / 1000)) == (452, 494)),
            Reading(f"not binary: {', '.join(map(title, many))}", many == ["volkert"]),
        ),
    )


def _same(columns: tuple[str, ...]) -> bool:
    return set(columns) == set(TABLE_5) and len(columns) == 7


def _table_5(_: Printed) -> Finding:
    features = [facts.categorical + facts.continuous == facts.features for facts in TABLE_5.values()]
    binary = [facts for facts in TABLE_5.values() if facts.positives]
    sums = [facts.positives + facts.negatives == facts.size for facts in binary]
    shares = [f"{100 * facts.positives / facts.size:.2f}" == facts.positive_percent for facts in binary]
    return Finding(
        (
            Reading(f"categorical and continuous features add up in {sum(features)} of {len(features)}", all(features)),
            Reading(f"positives and negatives add up in {sum(sums)} of {len(sums)}", all(sums)),
            Reading(f"the share of positives follows in {sum(shares)} of {len(shares)}", all(shares)),
        ),
    )


def _table_5_files(_: Printed) -> Finding:
    return Finding(
        notes=(
            "needs the files themselves: [docs/tabular-data.md](tabular-data.md) counts those at hand; the paper says "
            + ", ".join(f"{title(name)} {facts.size:,} × {facts.features}" for name, facts in TABLE_5.items()),
            "Table 6 links Appetency to the page of KDD Cup 1999",
        )
    )


TABULAR = Chapter(
    "Section 5, tabular data (Tables 2 and 5)",
    (
        Claim(
            "SAFLEX outperforms CutMix",
            "Caption of Table 2",
            "SAFLEX outperforms CutMix on the tabular sets with either backbone (read as: everywhere).",
            _caption,
            none_yet,
        ),
        Claim(
            "Almost everywhere",
            "Section 5, below Table 2",
            'SAFLEX "almost consistently" raises CutMix on all sets with both backbones (read as: in most, and nowhere '
            "lower by more than twice the pooled ±).",
            _almost,
            none_yet,
        ),
        Claim("More with MLP", "Section 5, below Table 2", "The gain is most noticeable with the MLP.", _more_with_mlp),
        Claim(
            "More with discrete features",
            "Section 5, below Table 2",
            "The gain is most noticeable on sets with many discrete features, such as Click and Shrutime.",
            _more_with_discrete,
        ),
        Claim(
            "Volkert",
            "Section 5, below Table 2",
            'The ten-class set Volkert improves "considerably" (read as: by more than the mean of its backbone).',
            _volkert,
        ),
        Claim(
            "Seven sets, 452 to 494K samples",
            "Section 5",
            "Seven sets of 452 to 494K samples, all binary but Volkert with ten classes.",
            _counts,
        ),
        Claim("Table 5 agrees with itself", "Table 5", "Its counts add up, and its shares follow from them.", _table_5),
        Claim("Table 5's counts", "Tables 5 and 6", "The sets have these sizes and features.", _table_5_files),
    ),
)
