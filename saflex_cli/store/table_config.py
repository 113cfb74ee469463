"""What a table file may say: which recipes are its columns, and which methods its rows."""

from typing import Annotated, NamedTuple

from pydantic import Field, model_validator

from saflex_cli.config.base import Strict, Title
from saflex_cli.config.method_base import Slug
from saflex_cli.config.metrics import Metric


class PublishedColumn(Strict):
    """Where a column's published numbers stand in `published.csv`, which lies beside the table file."""

    table: str
    column: str
    backbone: str | None = None
    """Without it, what rows call the recipe that they belong to, such as `mlp`."""


class ColumnConfig(Strict):
    """One recipe, or several on the same data, between which the rows choose."""

    recipe: str | Annotated[dict[Slug, str], Field(min_length=1)]
    """Path relative to the table file; or paths by the name that rows call them by."""
    cell: str | None = None
    """Which cell of a study, where `recipe` is one: `<curve>/<at>`, as `saflex study --dry-run` lists it."""
    title: Title
    metric: Metric | None = None
    """Instead of the table's."""
    published: PublishedColumn | None = None
    not_comparable: str | None = None
    """Why no published number may stand here; said above the table."""

    @model_validator(mode="after")
    def _check_cell(self) -> "ColumnConfig":
        if self.cell and not isinstance(self.recipe, str):
            raise ValueError("cell is that of one study; write recipe: the path of the study")
        return self

    @model_validator(mode="after")
    def _check_comparable(self) -> "ColumnConfig":
        if self.published and self.not_comparable:
            raise ValueError("published and not_comparable contradict each other; leave one out")
        return self


class Row(Strict):
    """One method, in every column."""

    method: Slug
    """Its label, the same in all recipes of the table."""
    recipe: Slug | None = None
    """Which of the column's recipes, where a column names several."""
    title: Title
    published: str | None = None
    """Its name in `published.csv`."""

    @property
    def key(self) -> "RowKey":
        """What tells it from the other rows."""
        return RowKey(self.recipe, self.method)


class RowKey(NamedTuple):
    """A method of one of the column's recipes."""

    recipe: str | None
    method: str


class TableConfig(Strict):
    """What a table file may say."""

    name: Slug
    """Name of the files in `results/tables/`."""
    title: Title
    caption: str | None = None
    metric: Metric = "accuracy"
    incomplete: str | None = None
    """Why some of its runs have not been made. The table is then made of the reports that are there."""
    columns: Annotated[tuple[ColumnConfig, ...], Field(min_length=1)]
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]
    baseline: Slug
    """Label of the method that the rows of its recipe are compared with, at the selected epoch."""
    fair: Slug | None = None
    """Label of a method trained on train + val, compared with in the same way at the last epoch."""
