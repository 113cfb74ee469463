"""What docs/tabular-data.md says of the files is what the files hold."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from saflex_cli.config.tabular import Rows, TableName
from saflex_cli.data.tables.facts import FACTS
from saflex_cli.data.tables.load import split_table
from saflex_cli.data.tables.named import counts_of, named_table
from saflex_cli.data.tables.table import Table, first_of_equals
from saflex_cli.store.claims.printed import title
from saflex_cli.store.claims.text_facts import TABLE_5

PAGE = (Path(__file__).parents[1] / "docs" / "tabular-data.md").read_text()


def line_of(name: TableName, table: Table) -> str:
    """The start of the table's line in the page's first table."""
    counts, row = counts_of(table), FACTS[name].row_of_table_5
    assert row is not None
    assert counts.positives is not None
    cells = (
        f"`{name}`",
        title(row),
        f"{counts.rows:,}",
        f"{counts.continuous} + {counts.categorical}",
        f"{counts.positives:,} ({100 * counts.positives / counts.rows:.2f} %)",
        f"{len(table) - len(first_of_equals(table)):,}",
    )
    return f"| {' | '.join(cells)} | "


@pytest.mark.parametrize("name", ["qsar", "arrhythmia", "shrutime", pytest.param("click", marks=pytest.mark.slow)])
def test_counts(real_data: Callable[..., Path], name: TableName) -> None:
    table = named_table(name, real_data(FACTS[name].target))
    start = line_of(name, table)
    assert start in PAGE
    row = TABLE_5[name]
    same = (row.size, row.continuous, row.categorical) == (len(table), len(table.continuous), len(table.categorical))
    says = "the same" if same else f"{row.features} features, {row.categorical} of them categorical"
    assert f"{start}{says} |" in PAGE


@pytest.mark.slow
def test_kdd99(real_data: Callable[..., Path]) -> None:
    table = named_table("kdd99_10pct", real_data(FACTS["kdd99_10pct"].target))
    assert line_of("kdd99_10pct", table) in PAGE
    splits = split_table(table, Rows(), 0)
    leaked = f"{splits.duplicates_across_splits:,} of the {len(splits.val) + len(splits.test):,} rows of val and test"
    assert leaked in PAGE
    kept = table.rows(first_of_equals(table))
    assert f"leaves {len(kept):,} rows, of which {100 * kept.labels.mean():.0f} %" in PAGE.replace("\n", " ")
    assert all(0.98 <= logistic_auroc(table, 500, seed) <= 0.997 for seed in range(3))
    assert all(logistic_auroc(table, 5000, seed) >= 0.998 for seed in range(3))
    assert all(round(logistic_auroc(kept, 500, seed), 2) >= 0.99 for seed in range(3))


def logistic_auroc(table: Table, rows: int, seed: int) -> float:
    """Of a logistic regression on some rows of the numbers, standardised, judged on another fifth of the table."""
    inputs = np.stack([column.values for column in table.continuous], axis=1)
    order = np.random.default_rng(seed).permutation(len(table))
    train, test = order[:rows], order[len(table) * 4 // 5 :]
    deviation = inputs[train].std(0)
    scaled = (inputs - inputs[train].mean(0)) / np.where(deviation == 0, 1, deviation)
    model = LogisticRegression(max_iter=2000).fit(scaled[train], table.labels[train])
    return float(roc_auc_score(table.labels[test], model.decision_function(scaled[test])))


def test_every_verdict_is_on_the_page() -> None:
    verdict = PAGE.split("**Not comparable with Table 2**")[1].split("\n\n")[0]
    for name, facts in FACTS.items():
        assert f"| `{name}` | `{facts.files[0]}`" in PAGE
        assert (facts.not_comparable is not None) == (f"`{name}`" in verdict)
