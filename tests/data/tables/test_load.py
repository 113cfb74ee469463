"""Splits of tables: sizes, seeds, classes, duplicates."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from saflex_cli.config.tabular import Rows, SplitShares
from saflex_cli.data.splits import Splits
from saflex_cli.data.tables.load import split_table
from saflex_cli.data.tables.table import Numbers, Table
from saflex_cli.errors import DataError
from saflex_cli.seeding import Streams
from tests.data.tables.made_up import table


def split(made: Table | None = None, seed: int = 0, **fields: Any) -> Splits:
    return split_table(made or table(), Rows(**fields), seed)


def numbered(rows: int, **changes: Any) -> Table:
    """Column `a` is the number of the row, so that rows can be told apart after scaling."""
    return table(rows, continuous=(Numbers("a", np.arange(float(rows))),), **changes)


def sizes(splits: Splits) -> list[int]:
    return [len(splits.train), len(splits.val), len(splits.test)]


def test_sizes_are_exact_and_every_row_is_used_once() -> None:
    splits = split(numbered(40))
    assert sizes(splits) == [26, 6, 8]
    everything = torch.cat([splits.train.inputs, splits.val.inputs, splits.test.inputs])[:, 0]
    assert len(everything.unique()) == 40
    assert splits.train.inputs.dtype == torch.float32
    assert (splits.scale.mean, splits.scale.std) == (0.0, 1.0)
    assert splits.class_names == ("no", "yes")
    assert splits.levels == (5,)


def test_shares_are_the_users() -> None:
    assert sizes(split(split=SplitShares(train=0.5, val=0.25, test=0.25))) == [20, 10, 10]


def test_class_by_class() -> None:
    labels = (np.arange(200) % 10 == 0).astype(np.int64)
    splits = split(table(200, labels=labels), stratify=True)
    assert [part.labels.bincount().tolist() for part in (splits.train, splits.val, splits.test)] == [
        [117, 13],
        [27, 3],
        [36, 4],
    ]


def test_a_seed_of_its_own_for_every_run_or_one_for_all() -> None:
    def rows(seed: int, **fields: Any) -> torch.Tensor:
        return split(numbered(40), seed, **fields).val.labels, split(numbered(40), seed, **fields).val.inputs

    assert torch.equal(rows(0)[1], rows(0)[1])
    assert not torch.equal(rows(0)[1], rows(1)[1])
    assert torch.equal(rows(0, split_seed=7)[1], rows(1, split_seed=7)[1])
    assert split(seed=0).sha256 == split(seed=1).sha256 == split(scaling="quantile_normal").sha256


def test_rows_of_val_and_test_that_train_holds_are_counted() -> None:
    assert split().duplicates_across_splits == 0
    once = table(20)
    thrice = once.rows(np.tile(np.arange(20), 3))
    splits = split(thrice)
    train, others = (
        [tuple(row) for row in torch.nan_to_num(inputs, 99.0).tolist()]
        for inputs in (splits.train.inputs, torch.cat([splits.val.inputs, splits.test.inputs]))
    )
    assert splits.duplicates_across_splits == sum(row in train for row in others) > 0


def test_a_split_with_a_single_class_is_refused() -> None:
    labels = np.zeros(40, dtype=np.int64)
    labels[[3, 4]] = 1
    with pytest.raises(
        DataError, match=r"made-up\.csv: \w+ has \d+ rows and none of class yes; set data\.stratify: true"
    ):
        split(table(labels=labels))


def test_train_needs_every_class() -> None:
    labels = np.arange(40) % 2
    labels[:2] = 2
    three = table(labels=labels, class_names=("a", "b", "c"))
    splits = split(three, stratify=True)  # round(0.15 · 2) = round(0.2 · 2) = 0 rows of c leave train
    assert splits.train.labels.bincount().tolist()[2] == 2
    refused = 0
    for seed in range(200):
        drawn = torch.randperm(40, generator=Streams(seed).generator("split"))
        if not {0, 1} & set(drawn[14:].tolist()):
            refused += 1
            with pytest.raises(DataError, match="train has 26 rows and none of class c"):
                split(three, seed)
    assert refused > 5


def test_notes_travel_along() -> None:
    assert split(replace(table(), notes=("read so",))).notes == ("read so",)
