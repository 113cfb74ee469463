"""Where data sets lie."""

import os
from pathlib import Path

from saflex_cli.data.medmnist import medmnist_states
from saflex_cli.errors import DataError


def data_root(option: Path | None = None) -> Path:
    """The folder with data sets: the option, else the environment variable SAFLEX_DATA, else ./data.

    Raises:
        DataError: if an option or SAFLEX_DATA names a folder that does not exist.
    """
    named = option or (Path(value) if (value := os.environ.get("SAFLEX_DATA")) else None)
    if named is not None and not named.is_dir():
        source = "--data-root" if option else "SAFLEX_DATA"
        raise DataError(f"{source}: no folder {named}; name one that exists, or leave it out")
    return named or Path("data")


def data_sets(root: Path) -> list[tuple[str, str]]:
    """Every data set that travels under a fixed name, with what was found or where to put it."""
    return [("digits", "found (part of scikit-learn)"), *medmnist_states(root)]
