"""What identifies one run, and whether a finished report still belongs to its recipe."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from saflex_cli.config.schema import PROTOCOL, MethodConfig, Recipe
from saflex_cli.errors import RecipeError

_SHARED = {"data", "selection"}
_OF_NETWORKS = {"model", "optimizer", "train"}


def find_method(recipe: Recipe, label: str) -> MethodConfig:
    """The method with this label.

    Raises:
        RecipeError: if the recipe has no such method.
    """
    for method in recipe.methods:
        if method.label == label:
            return method
    raise RecipeError(f"{recipe.name} has no method {label!r}; it has: {', '.join(m.label for m in recipe.methods)}")


def run_config(recipe: Recipe, method: MethodConfig) -> dict[str, Any]:
    """Everything that affects a run of this method, apart from the seed; nothing that does not.

    Another seed, another method or a new label therefore never makes a finished run stale.
    """
    return _dump(recipe, method, without_defaults=False)


def config_hash(config: dict[str, Any]) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of a run's configuration."""
    text = json.dumps(config, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def differences(reported: dict[str, Any], recipe: Recipe, method: MethodConfig) -> list[str]:
    """Where a report's configuration differs from the recipe's, as `path: old → new`; empty if it is still valid.

    A field that was added to the schema after the report was written does not count while it has its default.
    """
    old = dict(_flatten(reported))
    new = dict(_flatten(run_config(recipe, method)))
    stated = dict(_flatten(_dump(recipe, method, without_defaults=True)))
    changed = [f"{path}: {old[path]!r} → {new[path]!r}" for path in new if path in old and old[path] != new[path]]
    changed += [f"{path}: (absent) → {new[path]!r}" for path in stated if path in new and path not in old]
    changed += [f"{path}: {old[path]!r} → (absent)" for path in old if path not in new]
    return changed


def _dump(recipe: Recipe, method: MethodConfig, *, without_defaults: bool) -> dict[str, Any]:
    included = _SHARED | _OF_NETWORKS if method.uses_network else _SHARED
    shared = recipe.model_dump(mode="json", include=included, exclude_defaults=without_defaults)
    if recipe.pool is not None:
        shared["pool"] = recipe.pool.model_dump(mode="json", exclude_defaults=without_defaults)
    own = method.model_dump(mode="json", exclude={"label", "augmenter", "seeds"}, exclude_defaults=without_defaults)
    steps = method.augmenter if method.augmenter is not None else recipe.augmenter
    used = steps if method.uses_upstream and steps is not None else ()
    augmenter = [step.model_dump(mode="json", exclude_defaults=without_defaults) for step in used]
    content: dict[str, Any] = _without_folders(shared | {"augmenter": augmenter, "method": own})
    return {"protocol": PROTOCOL} | content


def _without_folders(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Absolute paths shortened to their last part: a report must not tell where its maker's files lie."""
    if isinstance(value, dict):
        return {
            key: PurePath(item).name if key == "path" and PurePath(item).is_absolute() else _without_folders(item)
            for key, item in value.items()
        }
    return [_without_folders(item) for item in value] if isinstance(value, list) else value


def _flatten(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - JSON
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flatten(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _flatten(item, f"{path}[{index}]")
    else:
        yield path, value
