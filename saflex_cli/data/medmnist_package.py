"""What the optional package medmnist knows: the addresses of the official files, and the MD5 of the bigger sizes.

Its table is read out of its source text. Importing the package would make a folder ~/.medmnist and load pandas and
scikit-image.
"""

import ast
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from saflex_cli.config.components import MedMnistSet
from saflex_cli.data.medmnist_facts import FACTS
from saflex_cli.errors import DataError

INSTALL = "pip install 'saflex[medmnist]'"


@dataclass(frozen=True)
class Release:
    """One official file: where it is, and its MD5."""

    url: str
    md5: str


def release(subset: MedMnistSet, size: int) -> Release | None:
    """The official file of a set in one size; None where medmnist is not installed.

    Raises:
        DataError: if the installed medmnist is of another release than the one saflex knows.
    """
    spec = find_spec("medmnist")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(next(iter(spec.submodule_search_locations))) / "info.py"
    suffix = "" if size == 28 else f"_{size}"
    entry = _info(path).get(subset, {})
    url, md5 = entry.get(f"url{suffix}"), entry.get(f"MD5{suffix}")
    if entry.get("MD5") != FACTS[subset].md5 or url is None or md5 is None:
        raise DataError(f"{path}: not the release of medmnist that saflex knows; upgrade it: {INSTALL} --upgrade")
    return Release(url, md5)


def _info(path: Path) -> dict[str, dict[str, Any]]:
    try:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and any(getattr(name, "id", "") == "INFO" for name in node.targets):
                return dict(ast.literal_eval(node.value))
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f"{path}: cannot be read ({error}); install it again: {INSTALL}") from error
    return {}
