"""YAML read safely, with unique keys, and with the line of every dotted path, so that an error can point at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from saflex_cli.errors import RecipeError

Location = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """Safe YAML without dates: a recipe has none, and a value that looks like one is text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Document:
    """A YAML mapping with the line on which each of its values stands."""

    path: Path
    content: dict[str, Any]
    lines: dict[Location, int]
    overrides: tuple[str, ...] = ()
    """`path=value` texts that were applied to the content."""

    def where(self, location: Location) -> str:
        """`file:line` of a value, or of its nearest ancestor that stands in the file; or the override it came from."""
        for override in self.overrides:
            path = dotted(parse_path(override.partition("=")[0]))
            if f"{dotted(location)}.".startswith((f"{path}.", f"{path}[")):
                return f"--set {override}"
        while location and location not in self.lines:
            location = location[:-1]
        return f"{self.path}:{self.lines.get(location, 1)}"


def dotted(location: Location) -> str:
    """`("methods", 2, "preset")` → `methods[2].preset`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")


def parse_path(text: str) -> Location:
    """`methods[2].preset` or `methods.2.preset` → `("methods", 2, "preset")`."""
    parts = [part for part in text.replace("[", ".").replace("]", "").split(".") if part]
    return tuple(int(part) if part.isdecimal() else part for part in parts)


def parse_value(text: str) -> Any:  # noqa: ANN401 - any YAML value
    """One YAML value, as it would be read in a file.

    Raises:
        yaml.YAMLError: if it is not YAML.
        RecipeError: if it repeats a key.
    """
    node = yaml.compose(text, Loader=_Loader)
    if node is not None:
        list(_lines(node, (), Path("value")))
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader


def read_document(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        RecipeError: if the file is missing, is not YAML, repeats a key or is not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: is not a text file in UTF-8") from error
    try:
        root = yaml.compose(text, Loader=_Loader)
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise RecipeError(f"{path}{line}: not valid YAML: {getattr(error, 'problem', None) or error}") from error
    if root is None or not isinstance(content, dict):
        raise RecipeError(f"{path}: must be a mapping of keys to values, like the files in recipes/")
    try:
        return Document(path=path, content=content, lines=dict(_lines(root, (), path)))
    except RecursionError as error:
        raise RecipeError(f"{path}: an alias (*name) refers to itself; write the value out") from error


def shown_path(path: Path) -> str:
    """The path from the folder `recipes` down: a committed table must read the same wherever the checkout lies."""
    parts = path.resolve().parts
    start = max((index for index, part in enumerate(parts) if part == "recipes"), default=len(parts) - 1)
    return "/".join(parts[start:])


def _lines(node: yaml.Node, location: Location, path: Path) -> Iterator[tuple[Location, int]]:
    yield location, node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _lines(item, (*location, index), path)
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in seen:
                raise RecipeError(
                    f"{path}:{line}: {dotted((*location, key))}: key stands here and on line {seen[key]}; keep one"
                )
            seen[key] = line
            yield from _lines(value_node, (*location, key), path)
            yield (*location, key), line
