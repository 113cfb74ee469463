"""Studies for tests: tiny ones of digits, as files."""

from pathlib import Path
from typing import Any

import yaml

from tests.recipes import write_recipe

CONTENT: dict[str, Any] = {
    "name": "tiny",
    "title": "Tiny: wrong labels",
    "question": "What do wrong labels cost?",
    "axis": "share of wrong labels",
    "methods": [{"name": "no_aug"}, {"name": "upstream"}, {"name": "saflex", "preset": "proximal"}],
    "seeds": [0, 1],
    "opponents": ["no_aug"],
    "titles": {"no_aug": "no augmentation"},
    "curves": [
        {
            "title": "Small digits",
            "recipe": "base-digits.yaml",
            "cells": [
                {"at": 0, "set": ["augmenter[1].share=0"]},
                {"at": 0.4, "set": ["augmenter[1].share=0.4"]},
            ],
        }
    ],
}


def write_study(folder: Path, *, recipe: dict[str, Any] | None = None, **changes: Any) -> Path:
    """The study above with top-level keys replaced (None removes one), and its base recipe, in recipes/study."""
    place = folder / "recipes" / "study"
    place.mkdir(parents=True, exist_ok=True)
    base = {"name": "study/base-digits", "train": {"epochs": 1, "batch_size": 50}} | (recipe or {})
    write_recipe(place, **base).rename(place / "base-digits.yaml")
    content = {key: value for key, value in (CONTENT | changes).items() if value is not None}
    path = place / "tiny.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return path
