"""Recipes and tables by path or by name, with a suggestion for a name that is nearly right."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

import saflex_cli
from saflex_cli.errors import RecipeError

TABLES = "tables"
"""The folder, among the recipes, that holds table files."""
STUDIES = "study"
"""The folder, among the recipes, that holds studies beside other recipes."""


def roots() -> list[Path]:
    """Where names are looked up: ./recipes, then the recipes that travel with the package, or lie beside a checkout."""
    package = Path(saflex_cli.__file__).parent
    return [Path("recipes"), package / "recipes", package.parent / "recipes"]


def recipes() -> dict[str, Path]:
    """Every recipe by name, such as `quickstart/digits`."""
    files = _files().items()
    return {
        name: path for name, path in files if not (name.startswith(f"{TABLES}/") or is_study(path) or is_probe(path))
    }


def studies() -> dict[str, Path]:
    """Every study by name, such as `where-labels` for recipes/study/where-labels.yaml."""
    prefix = f"{STUDIES}/"
    return {name.removeprefix(prefix): path for name, path in _files().items() if is_study(path)}


def probes() -> dict[str, Path]:
    """Every probe by name, such as `probe-decrease` for recipes/study/probe-decrease.yaml."""
    return {name.rpartition("/")[2]: path for name, path in _files().items() if is_probe(path)}


def is_study(path: Path) -> bool:
    """Whether a file is a study."""
    return _has_key(path, "curves")


def is_probe(path: Path) -> bool:
    """Whether a file is a probe."""
    return _has_key(path, "probe")


def tables() -> dict[str, Path]:
    """Every table file by name, such as `table1` for recipes/tables/table1.yaml."""
    prefix = f"{TABLES}/"
    return {name.removeprefix(prefix): path for name, path in _files().items() if name.startswith(prefix)}


def find_recipe(text: str) -> Path:
    """The recipe with this path or name.

    Raises:
        RecipeError: if there is none; says what there is.
    """
    return _no_study(_find(text, "recipe", recipes()), text)


def find_study(text: str) -> Path:
    """The study with this path or name, with or without `study/`.

    Raises:
        RecipeError: if there is none; says what there is.
    """
    return _find(text, "study", studies())


def find_probe(text: str) -> Path:
    """The probe with this path or name, with or without `study/`.

    Raises:
        RecipeError: if there is none; says what there is.
    """
    return _find(text.removeprefix(f"{STUDIES}/"), "probe", probes())


def find_table_or_recipe(text: str) -> Path:
    """The table file or recipe with this path or name.

    Raises:
        RecipeError: if there is none; says what there is.
    """
    return _no_study(_find(text, "table or recipe", tables() | recipes()), text)


def complete_recipe(incomplete: str) -> list[str]:
    """Completions of a recipe: names, and paths to YAML files."""
    return [name for name in recipes() if name.startswith(incomplete)] + _complete_path(incomplete, ".yaml")


def complete_recipe_or_checkpoint(incomplete: str) -> list[str]:
    """Completions of what `saflex eval` takes."""
    return complete_recipe(incomplete) + _complete_path(incomplete, ".safetensors")


def complete_table_or_recipe(incomplete: str) -> list[str]:
    """Completions of what `saflex table` takes."""
    return [name for name in tables() if name.startswith(incomplete)] + complete_recipe(incomplete)


def complete_study(incomplete: str) -> list[str]:
    """Completions of what `saflex study` takes."""
    return [name for name in studies() if name.startswith(incomplete)] + _complete_path(incomplete, ".yaml")


def complete_probe(incomplete: str) -> list[str]:
    """Completions of what `saflex probe` takes."""
    return [name for name in probes() if name.startswith(incomplete)] + _complete_path(incomplete, ".yaml")


def did_you_mean(wrong: str, right: Iterable[str]) -> str:
    """`did you mean x?`, or what there is."""
    known = list(right)
    close = get_close_matches(wrong, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    listed = ", ".join(islice(known, 12))
    return f"there are: {listed}{', …' if len(known) > 12 else ''}" if known else "there are none"


def _no_study(path: Path, text: str) -> Path:
    if is_study(path):
        raise RecipeError(f"{path} is a study; run it with: saflex study {text}")
    if is_probe(path):
        raise RecipeError(f"{path} is a probe; run it with: saflex probe {text}")
    return path


def _has_key(path: Path, key: str) -> bool:
    """Whether a file has a top-level key; told without reading it as YAML, for there are many files."""
    try:
        return re.search(rf"^{key}:", path.read_text(encoding="utf-8"), re.MULTILINE) is not None
    except (OSError, UnicodeDecodeError):
        return False


def _find(text: str, what: str, known: dict[str, Path]) -> Path:
    path = Path(text)
    if path.is_file():
        return path
    if text in known:
        return known[text]
    if text.removeprefix(f"{STUDIES}/") in (others := studies()):
        return others[text.removeprefix(f"{STUDIES}/")]
    if not known:
        raise RecipeError(f"no {what} {text!r}, and no recipes here: run this where ./recipes is, or give a path")
    if path.is_dir():
        raise RecipeError(f"{text} is a folder; give one {what}, such as {next(iter(known))}")
    is_path = path.suffix in {".yaml", ".yml"}
    raise RecipeError(f"no {what} {text!r}; {did_you_mean(text, map(str, known.values()) if is_path else known)}")


def _files() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for root in roots():
        for path in sorted(root.rglob("*.yaml")):
            found.setdefault(path.relative_to(root).with_suffix("").as_posix(), path)
    return found


def _complete_path(incomplete: str, suffix: str) -> list[str]:
    """Folders and files with this suffix; nothing before the first letter, where names are what one looks for."""
    folder, slash, start = incomplete.rpartition("/")
    found = sorted(Path(folder + slash).glob("*")) if incomplete else []
    return [
        f"{folder}{slash}{path.name}{'/' if path.is_dir() else ''}"
        for path in found
        if path.name.startswith(start) and (path.is_dir() or path.suffix == suffix)
    ]
