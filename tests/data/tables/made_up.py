"""Small tables, in memory and in the exact formats of the published files."""

from pathlib import Path
from typing import Any

import numpy as np

from saflex_cli.data.tables.table import Numbers, Table, Texts
from saflex_cli.numpy_arrays import NDArray


def table(rows: int = 40, *, seed: int = 0, **changes: Any) -> Table:
    """Two continuous columns, of which the second has missing values, a categorical one, and two classes in turn."""
    random = np.random.default_rng(seed)
    holes = np.where(random.random(rows) < 0.2, np.nan, random.standard_normal(rows))
    fields: dict[str, Any] = {
        "source": "made-up.csv",
        "continuous": (Numbers("a", 5 + 3 * random.standard_normal(rows)), Numbers("b", holes)),
        "categorical": (Texts("c", random.integers(0, 4, rows), ("z", "y", "", "x")),),
        "labels": np.arange(rows) % 2,
        "class_names": ("no", "yes"),
        "lines": np.arange(2, rows + 2),
    }
    return Table(**fields | changes)


def write(root: Path, name: str, text: str) -> Path:
    """A file under a data root."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def random_values(rows: int, columns: int) -> NDArray[np.float64]:
    """Standard normal, the same each time."""
    return np.random.default_rng(0).standard_normal((rows, columns)).round(4)
