"""Which recipes and methods form a table: from a table file, or from one recipe alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from saflex_cli.config.document import Document, Location, dotted, read_document, shown_path
from saflex_cli.config.identity import find_method
from saflex_cli.config.load import load_recipe, validate
from saflex_cli.config.metrics import Metric, printed
from saflex_cli.config.schema import Recipe
from saflex_cli.config.study import Cell, Study, load_study
from saflex_cli.errors import RecipeError
from saflex_cli.store.published import Published, PublishedKey, look_up, read_published
from saflex_cli.store.table_config import ColumnConfig, Row, RowKey, TableConfig


class InStudy(NamedTuple):
    """Where the packed reports of a study's cell lie."""

    study: Study
    cell: Cell


@dataclass(frozen=True)
class Source:
    """A recipe of a column, read."""

    recipe: Recipe
    path: str
    """As commands and files show it."""
    packed: InStudy | None = None
    """Where its reports are, if it is the recipe of a study's cell."""

    def command(self, place: str, *, method: str, seed: int) -> str:
        """What makes this one run anew; `place` is the option that says where results lie."""
        all_runs = self.study_command(place) or f"saflex train {self.path}{place}"
        return f"{all_runs} --method {method} --seed {seed} --force"

    def study_command(self, place: str) -> str | None:
        """What makes all runs of the study's cell."""
        return self.packed and f"saflex study {self.path} --cell {self.packed.cell.name}{place}"


@dataclass(frozen=True)
class Column:
    """One data set of a table."""

    title: str
    metric: Metric
    sources: Mapping[str | None, Source]
    """Its recipes by the name that rows call them by; None for the only one."""
    published: Mapping[RowKey, Published] = field(default_factory=dict)
    """Published numbers by row."""
    not_comparable: str | None = None
    """Why none may stand here."""

    def source(self, row: Row) -> Source:
        """The recipe that a row belongs to."""
        return self.sources[row.recipe]


@dataclass(frozen=True)
class Table:
    """A table file with its recipes; every row's method is known to be in every column."""

    name: str
    title: str
    caption: str | None
    incomplete: str | None
    """Why it may be without some of its reports."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    baseline: str
    fair: str | None
    source: str
    """The path of the table file or recipe, as commands and files show it."""

    def title_of(self, method: str) -> str:
        """The title of the row with this method label; of all of them, where several recipes have it."""
        return " or ".join(row.title for row in self.rows if row.method == method)


def load_table(path: Path) -> Table:
    """Read a table file (it has the key `columns`), or make the default table of a recipe file.

    Raises:
        RecipeError: names file, line and dotted path, and what to do.
    """
    document = read_document(path)
    if "columns" not in document.content:
        return table_from_recipe(load_recipe(path), source=shown_path(path))
    config = validate(document.content, TableConfig, document)
    _check_rows(config, document)
    return Table(
        name=config.name,
        title=config.title,
        caption=config.caption,
        incomplete=config.incomplete,
        columns=_read_columns(config, document),
        rows=config.rows,
        baseline=config.baseline,
        fair=config.fair,
        source=shown_path(path),
    )


def table_from_recipe(recipe: Recipe, source: str | None = None) -> Table:
    """The table of one recipe: all its methods, compared with the first plain upstream method of either kind."""
    source = source or f"recipes/{recipe.name}.yaml"
    plain = [m for m in recipe.methods if m.name == "upstream" and m.augmenter is None]
    on_train = [m for m in plain if m.train_on == ("train",)]
    on_both = [m for m in plain if m.train_on == ("train", "val")]
    return Table(
        name=recipe.name.replace("/", "-"),
        title=recipe.name,
        caption=None,
        incomplete=None,
        columns=(Column(recipe.name, printed(recipe.selection.metric), {None: Source(recipe, source)}),),
        rows=tuple(Row(method=m.label, title=m.label) for m in recipe.methods),
        baseline=(on_train or recipe.methods)[0].label,
        fair=on_both[0].label if on_both else None,
        source=source,
    )


def _read_columns(config: TableConfig, document: Document) -> tuple[Column, ...]:
    uses_published = any(column.published for column in config.columns)
    numbers = read_published(document.path.with_name("published.csv")) if uses_published else {}
    columns: list[Column] = []
    seen: set[str] = set()
    for index, column in enumerate(config.columns):
        sources = _read_sources(column, ("columns", index), seen, document)
        published = _published(config, index, numbers, document)
        metric = column.metric or config.metric
        columns.append(Column(column.title, metric, sources, published, column.not_comparable))
        _check_methods(config, columns[-1], document)
    return tuple(columns)


def _read_sources(
    column: ColumnConfig, location: Location, seen: set[str], document: Document
) -> dict[str | None, Source]:
    sources: dict[str | None, Source] = {}
    given = column.recipe
    for name, text in given.items() if isinstance(given, dict) else [(None, given)]:
        path, at = document.path.parent / text, (*location, "recipe") if name is None else (*location, "recipe", name)
        if not path.is_file():
            raise _error(document, at, f"there is no {path}; write the path relative to the table file")
        source = _of_study(path, column.cell, location, document) if column.cell else _of_recipe(path, at, document)
        if source.recipe.name in seen:
            raise _error(document, at, f"{source.recipe.name} is listed twice; leave one out")
        seen.add(source.recipe.name)
        sources[name] = source
    return sources


def _of_recipe(path: Path, location: Location, document: Document) -> Source:
    if "curves" in read_document(path).content:
        raise _error(document, location, f"{path} is a study; say which of its cells: cell: <curve>/<at>")
    return Source(load_recipe(path), shown_path(path))


def _of_study(path: Path, wanted: str, location: Location, document: Document) -> Source:
    if "curves" not in read_document(path).content:
        raise _error(document, (*location, "cell"), f"{path} is no study; leave cell out")
    study = load_study(path)
    cells = {cell.name: cell for cell in study.cells}
    if wanted not in cells:
        known = ", ".join(cells)
        raise _error(document, (*location, "cell"), f"{study.name} has no cell {wanted}; they are: {known}")
    return Source(cells[wanted].recipe, shown_path(path), InStudy(study, cells[wanted]))


def _published(
    config: TableConfig, index: int, numbers: Mapping[PublishedKey, Published], document: Document
) -> dict[RowKey, Published]:
    where = config.columns[index].published
    if where is None:
        return {}
    found = {}
    for row in config.rows:
        if row.published is not None:
            try:
                backbone = where.backbone or row.recipe or ""
                key = PublishedKey(where.table, where.column, backbone, row.published)
                found[row.key] = look_up(numbers, key)
            except RecipeError as error:
                raise _error(document, ("columns", index, "published"), str(error)) from error
    return found


def _check_rows(config: TableConfig, document: Document) -> None:
    keys = [row.key for row in config.rows]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            raise _error(document, ("rows", index, "method"), f"{key.method} is listed twice; leave one out")
    for name, reference in (("baseline", config.baseline), ("fair", config.fair)):
        for key in keys:
            if reference is not None and RowKey(key.recipe, reference) not in keys:
                of = f" of the recipe {key.recipe}" if key.recipe else ""
                labels = ", ".join(other.method for other in keys if other.recipe == key.recipe)
                raise _error(document, (name,), f"{reference} is not among the rows{of}; they are: {labels}")


def _check_methods(config: TableConfig, column: Column, document: Document) -> None:
    for index, row in enumerate(config.rows):
        if row.recipe not in column.sources:
            names = ", ".join(name for name in column.sources if name is not None)
            advice = f"write one of: {names}" if names else "leave it out: the column has one recipe"
            raise _error(document, ("rows", index, "recipe"), f"{column.title} has no recipe {row.recipe}; {advice}")
        recipe = column.source(row).recipe
        try:
            method = find_method(recipe, row.method)
        except RecipeError as error:
            raise _error(document, ("rows", index, "method"), str(error)) from error
        if row.method == config.fair and method.train_on != ("train", "val"):
            raise _error(document, ("fair",), f"{row.method} must have train_on: [train, val] in {recipe.name}")


def _error(document: Document, location: Location, what: str) -> RecipeError:
    return RecipeError(f"{document.where(location)}: {dotted(location)}: {what}")
