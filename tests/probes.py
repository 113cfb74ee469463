"""Probes for tests: a tiny one of digits, as a file."""

from pathlib import Path
from typing import Any

import yaml

from tests.recipes import write_recipe

CONTENT: dict[str, Any] = {
    "name": "tiny",
    "title": "Tiny: wrong labels",
    "question": "Who knows?",
    "probe": {"measure": "knowledge", "epochs": [0, 2], "folds": 3},
    "methods": [{"name": "upstream"}, {"name": "saflex", "preset": "proximal"}],
    "seeds": [0, 1],
    "titles": {"upstream": "as it is"},
    "cases": [{"title": "Small digits", "recipe": "base-digits.yaml", "set": ["train.batch_size=20"]}],
}
BASE: dict[str, Any] = {
    "name": "study/base-digits",
    "data": {"name": "digits", "train": 150, "val": 60},
    "pool": {"size": 120, "wrong_labels": 0.4, "wrong_inputs": 0.1},
    "augmenter": [{"name": "pool"}],
    "train": {"epochs": 2, "batch_size": 30},
}
DECREASE: dict[str, Any] = {
    "probe": {"measure": "decrease", "epochs": [0, 1], "rates": [0.05, 0.5], "batch": 8, "iterations": 20},
    "methods": [{"name": "upstream"}],
    "titles": None,
}
"""Changes that make it a probe of the decrease."""


def write_probe(folder: Path, *, recipe: dict[str, Any] | None = None, **changes: Any) -> Path:
    """The probe above with top-level keys replaced (None removes one), and its base recipe, in recipes/study."""
    place = folder / "recipes" / "study"
    place.mkdir(parents=True, exist_ok=True)
    write_recipe(place, **(BASE | (recipe or {}))).rename(place / "base-digits.yaml")
    content = {key: value for key, value in (CONTENT | changes).items() if value is not None}
    path = place / "tiny.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return path
