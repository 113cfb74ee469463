"""From columns to a table: which of them is the class, and what its values are called."""

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np
from jaxtyping import Int64

from saflex_cli.data.tables.table import Table, Texts, without_constant_columns
from saflex_cli.data.tables.text_file import Columns
from saflex_cli.errors import DataError
from saflex_cli.numpy_arrays import NDArray

_MAX_CLASSES = 1000


def assemble(
    columns: Columns,
    names: Sequence[str],
    *,
    target: str,
    positive: str | None,
    negative: str | None = None,
    source: str,
) -> Table:
    """A table with its classes, without columns that hold one value.

    Args:
        columns: What was read, `target` as a categorical column.
        names: Of all columns, in their order.
        target: The column with the class.
        positive: The value that is class 1, every other one being class 0; None makes each value a class.
        negative: What class 0 is called; None takes its value, or `not <positive>` where it has several.
        source: The file, for messages.

    Raises:
        DataError: if a row has no class, if there are fewer than two classes or too many, or no row is positive.
    """
    labels, class_names = classes(columns.texts[target], columns.lines, positive, negative, source)
    features = [name for name in names if name != target]
    return without_constant_columns(
        Table(
            source=source,
            continuous=tuple(columns.numbers[name] for name in features if name in columns.numbers),
            categorical=tuple(columns.texts[name] for name in features if name in columns.texts),
            labels=labels,
            class_names=class_names,
            lines=columns.lines,
        )
    )


def classes(
    target: Texts, lines: Int64[NDArray[np.int64], " n"], positive: str | None, negative: str | None, source: str
) -> tuple[Int64[NDArray[np.int64], " n"], tuple[str, ...]]:
    """Labels 0…K−1 and the names of the classes: sorted as numbers where all are, else as texts."""
    where = f"{source}: column {target.name}"
    if "" in target.levels:
        without = np.flatnonzero(target.codes == target.levels.index(""))
        raise DataError(
            f"{where}: line {lines[without[0]]} has no class ({len(without):,} such rows); fill it in, or delete them"
        )
    if len(target.levels) < 2:
        raise DataError(f"{where} is {target.levels[0]!r} in every row; a classifier needs two classes")
    if positive is not None:
        return _against_the_rest(target, positive, negative, where)
    if len(target.levels) > _MAX_CLASSES:
        raise DataError(
            f"{where} has {len(target.levels):,} different values, more than {_MAX_CLASSES:,} classes; saflex "
            "classifies: name another target, or say with `positive` which value is class 1"
        )
    names = tuple(sorted(target.levels, key=_as_number_or_text))
    return np.array([names.index(level) for level in target.levels])[target.codes], names


def _against_the_rest(
    target: Texts, positive: str, negative: str | None, where: str
) -> tuple[Int64[NDArray[np.int64], " n"], tuple[str, ...]]:
    if positive not in target.levels:
        raise DataError(f"{where} is never {positive!r}; its values are {shortened(target.levels)}")
    others = [level for level in target.levels if level != positive]
    name = negative or (others[0] if len(others) == 1 else f"not {positive}")
    return (target.codes == target.levels.index(positive)).astype(np.int64), (name, positive)


def check_names(wanted: Sequence[str], names: Sequence[str], source: str) -> None:
    """Refuse a column that a recipe names and the file does not have.

    Raises:
        DataError: names the column and the nearest name there is.
    """
    for name in wanted:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {shortened(names)}"
            raise DataError(f"{source}: has no column {name!r}; {hint}")


def shortened(words: Sequence[str], most: int = 12) -> str:
    """The first few of them."""
    return ", ".join(words[:most]) + (f", … ({len(words):,} in all)" if len(words) > most else "")


def _as_number_or_text(level: str) -> tuple[int, float, str]:
    try:
        return (0, float(level), level)
    except ValueError:
        return (1, 0.0, level)
