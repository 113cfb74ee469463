"""From a YAML file to a checked recipe, with errors that name file, line and dotted path."""

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from saflex_cli.config.document import Document, Location, dotted, parse_path, parse_value, read_document
from saflex_cli.config.schema import Recipe
from saflex_cli.errors import RecipeError
from saflex_cli.settings import Settings

Model = TypeVar("Model", bound=BaseModel)

_HINTS = {
    "extra_forbidden": "unknown key",
    "missing": "is missing",
    "union_tag_invalid": "unknown name",
    "union_tag_not_found": "needs a name",
}


def load_recipe(
    path: Path | str, overrides: Sequence[str] = (), replaced: Mapping[str, Any] = MappingProxyType({})
) -> Recipe:
    """Read and check a recipe.

    Args:
        path: The YAML file.
        overrides: `dotted.path=value` texts, applied before checking (`methods[2].preset=lp`, `train.epochs=1`).
        replaced: Raw values of top-level keys in the place of the file's, before the overrides.

    Raises:
        RecipeError: names file, line and dotted path, and what to do.
    """
    return load_model(Path(path), Recipe, overrides, replaced)


def load_model(
    path: Path, model: type[Model], overrides: Sequence[str] = (), replaced: Mapping[str, Any] = MappingProxyType({})
) -> Model:
    """Read a YAML file into a pydantic model; see `load_recipe`."""
    document = read_document(path)
    content = deepcopy(document.content | dict(replaced))
    for override in overrides:
        _apply(content, override)
    return validate(content, model, replace(document, overrides=tuple(overrides)))


def validate(content: dict[str, Any], model: type[Model], document: Document) -> Model:
    """Check raw YAML content against a model: strictly, apart from lists, which fill tuples."""
    try:
        return model.model_validate(frozen(content))
    except ValidationError as error:
        problems = [_message(problem, content, document) for problem in error.errors()]
        raise RecipeError("\n".join(dict.fromkeys(problems))) from error
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{document.path}: {error}") from error


def frozen(value: Any) -> Any:  # noqa: ANN401 - raw YAML or JSON
    """The same with tuples in the place of lists, as the models of a recipe take them."""
    if isinstance(value, dict):
        return {key: frozen(item) for key, item in value.items()}
    return tuple(frozen(item) for item in value) if isinstance(value, list) else value


def _message(problem: Any, content: dict[str, Any], document: Document) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    location = _user_location(problem["loc"], content)
    kind, given = problem["type"], problem["input"]
    what = _HINTS.get(kind, problem["msg"].removeprefix("Value error, ").removeprefix("Input "))
    if kind.startswith("union_tag"):
        what += f", {problem['ctx'].get('tag', '')!r}" if kind == "union_tag_invalid" else ""
        expected = problem["ctx"].get("expected_tags")
        what += f"; choose from {expected}" if expected else " key, such as `{name: …}`"
        location = (*location, problem["ctx"]["discriminator"].strip("'"))
    elif kind not in _HINTS and not isinstance(given, dict | tuple):
        what += f", not {given!r}"
        what += _number_hint(given, kind) if kind in ("float_type", "int_type") else ""
    elif kind == "extra_forbidden":
        what += "; check the spelling, or see docs/recipes.md for the keys"
    return f"{document.where(location)}: {dotted(location) or 'recipe'}: {what}"


def _number_hint(given: object, kind: str) -> str:
    try:
        number = float(given) if isinstance(given, str) else math.nan
    except ValueError:
        return ""
    if not math.isfinite(number):
        return ""
    if kind == "int_type":
        return f" (YAML reads this as text; write {int(number)})" if number.is_integer() else ""
    mantissa, _, exponent = str(given).lower().partition("e")
    written = f"{float(mantissa)}e{int(exponent):+d}" if exponent else f"{number}"
    return f" (YAML reads this as text; write {written})"


def _user_location(location: Location, content: dict[str, Any]) -> Location:
    """Drop what pydantic adds to a path (union tags, the list around one step) but the user never wrote."""
    kept: list[str | int] = []
    value: Any = content
    names = {field.name for field in fields(Settings)}
    for part in location:
        in_mapping = isinstance(value, dict) and part in value
        if in_mapping or (isinstance(value, list) and isinstance(part, int) and part < len(value)):
            kept.append(part)
            value = value[part]
        elif isinstance(value, dict) and isinstance(part, str) and part not in _added(value):
            kept.append(part)
            if part not in names:
                value = None
    return tuple(kept)


def _added(mapping: dict[str, Any]) -> tuple[Any, ...]:
    """Parts of a path that pydantic alone writes: the tag of a union, and the field that a method's settings go to."""
    return "settings", mapping.get("name"), mapping.get("measure")


def _apply(content: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    parts = parse_path(path)
    if not equals or not parts:
        raise RecipeError(f"--set {override}: write it as dotted.path=value, for example train.epochs=1")
    try:
        value = parse_value(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"--set {override}: the value is not valid YAML") from error
    except RecipeError as error:
        raise RecipeError(f"--set {override}: {error}") from error
    target: Any = content
    for part in parts[:-1]:
        if isinstance(target, dict):
            target.setdefault(part, {})
        target = _inside(target, part, override)
    if not isinstance(target, dict):
        _inside(target, parts[-1], override)
    try:
        target[parts[-1]] = value
    except TypeError as error:
        raise RecipeError(f"--set {override}: {parts[-1]} is not a place in the recipe") from error


def _inside(target: object, part: str | int, override: str) -> Any:  # noqa: ANN401 - raw YAML
    try:
        return target[part]  # type: ignore[index]
    except (TypeError, LookupError) as error:
        raise RecipeError(f"--set {override}: {part} is not a place in the recipe") from error
