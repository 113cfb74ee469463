"""Tables as a recipe names them: those of the paper under their honest names, and the user's own."""

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from saflex_cli.config.base import Strict

TableName = Literal[
    "qsar",
    "arrhythmia",
    "shrutime",
    "click",
    "kdd99_10pct",
    "kddcup09_appetency",
    "creditcard",
    "credit_g",
    "volkert",
]

Part = Annotated[float, Field(gt=0, lt=1)]


class SplitShares(Strict):
    """Shares of the rows; they add up to 1. The defaults are SAINT's: the SAFLEX paper states no split."""

    train: Part = 0.65
    val: Part = 0.15
    test: Part = 0.2

    @model_validator(mode="after")
    def _check_sum(self) -> "SplitShares":
        total = self.train + self.val + self.test
        if not math.isclose(total, 1.0, abs_tol=1e-9):
            raise ValueError(f"train, val and test must add up to 1, not {total:g}")
        return self


class Rows(Strict):
    """How a table is split and what the model sees of it."""

    split: SplitShares = SplitShares()
    """Sizes are exact: val and test have round(share · N) rows, train the rest."""
    stratify: bool = False
    """Draw class by class; without it at random over all rows, as SAINT does."""
    split_seed: int | None = None
    """One split for all seeds; without it every seed has a split of its own (the same for all methods)."""
    scaling: Literal["standardise", "quantile_normal"] = "standardise"
    """Of continuous columns, fitted on train: mean 0 and deviation 1, or ranks mapped to N(0, 1)."""
    deduplicate: bool = False
    """Leave out rows that equal an earlier one in every feature and in the class, before splitting."""


class TabularData(Rows):
    """A table of the paper, or one that its numbers may come from; see docs/tabular-data.md."""

    name: Literal["tabular"]
    table: TableName


def _as_text(value: Any) -> Any:  # noqa: ANN401 - raw YAML
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class CsvData(Rows):
    """Any table in a text file, gzipped or not, with one row per line."""

    name: Literal["csv"]
    path: str
    """File, absolute or relative to the data root."""
    target: str
    """Column with the class."""
    positive: Annotated[str | None, BeforeValidator(_as_text)] = None
    """The value of `target` that is class 1, every other one being class 0; without it each value is a class."""
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    header: bool = True
    """Whether the first line names the columns; otherwise they are `column 1`, `column 2`, …"""
    continuous: tuple[str, ...] = ()
    """Columns that hold numbers. A column in neither list is continuous if all its values are numbers."""
    categorical: tuple[str, ...] = ()
    """Columns that hold levels, whatever they look like."""
    drop: tuple[str, ...] = ()
    """Columns that are not read, such as a row number."""
    missing: tuple[str, ...] = ("", "?", "NA", "NaN", "nan", "null")
    """What a cell without a value holds."""

    @model_validator(mode="after")
    def _check_columns(self) -> "CsvData":
        named = [self.target, *self.continuous, *self.categorical, *self.drop]
        if twice := sorted({column for column in named if named.count(column) > 1}):
            raise ValueError(f"column {twice[0]!r} is named twice in target, continuous, categorical and drop")
        if self.separator in ('"', "\n", "\r"):
            raise ValueError("separator must not be a quote or a line end")
        return self
