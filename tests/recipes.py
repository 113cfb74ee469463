"""Recipes for tests: a real one that trains in a second, as YAML text."""

from pathlib import Path
from typing import Any

import yaml

from saflex_cli.config.load import load_recipe
from saflex_cli.config.schema import Recipe

CONTENT: dict[str, Any] = {
    "name": "tests/digits",
    "data": {"name": "digits", "train": 100, "val": 60},
    "model": {"name": "small_cnn", "width": 4, "dropout": 0.1},
    "augmenter": [{"name": "rotation", "degrees": 45}, {"name": "corrupt_labels", "share": 0.3}],
    "optimizer": {"name": "adam", "lr": 0.01},
    "train": {"epochs": 3, "batch_size": 32},
    "methods": [
        {"name": "no_aug"},
        {"name": "upstream"},
        {"name": "upstream", "train_on": ["train", "val"]},
        {"name": "saflex", "preset": "paper"},
        {"name": "saflex", "preset": "proximal"},
    ],
    "seeds": [0, 1],
}


def write_recipe(folder: Path, **changes: Any) -> Path:
    """The recipe above with top-level keys replaced (None removes one), as a file."""
    content = {key: value for key, value in (CONTENT | changes).items() if value is not None}
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def make_recipe(folder: Path, **changes: Any) -> Recipe:
    """The same, loaded."""
    return load_recipe(write_recipe(folder, **changes))
