"""What a table file may say: which recipes are its columns, and which methods its rows."""

from typing import Annotated, Literal

from pydantic import Field

from saflex_cli.config.components import Strict
from saflex_cli.config.schema import Slug

Metric = Literal["accuracy", "auroc"]
Title = Annotated[str, Field(pattern=r"^[^|\r\n]+$")]
"""One line; `|` would end a cell."""


class PublishedColumn(Strict):
    """Where a column's published numbers stand in `published.csv`, which lies beside the table file."""

    table: str
    column: str
    backbone: str


class ColumnConfig(Strict):
    """One recipe."""

    recipe: str
    """Path relative to the table file."""
    title: Title
    published: PublishedColumn | None = None


class Row(Strict):
    """One method, in every column."""

    method: Slug
    """Its label, the same in all recipes of the table."""
    title: Title
    published: str | None = None
    """Its name in `published.csv`."""


class TableConfig(Strict):
    """What a table file may say."""

    name: Slug
    """Name of the files in `results/tables/`."""
    title: Title
    caption: str | None = None
    metric: Metric = "accuracy"
    columns: Annotated[tuple[ColumnConfig, ...], Field(min_length=1)]
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]
    baseline: Slug
    """Label of the row that all rows are compared with, at the selected epoch."""
    fair: Slug | None = None
    """Label of a row trained on train + val, that all rows are compared with at the last epoch."""
