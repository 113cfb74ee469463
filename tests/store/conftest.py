"""A small comparison and reports made by hand: values in percent go in, one per seed."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from saflex_cli.config.identity import config_hash, find_method, run_config
from saflex_cli.config.load import load_recipe
from saflex_cli.config.schema import Recipe
from saflex_cli.store.files import write_report
from saflex_cli.store.report import (
    DataFacts,
    Environment,
    EpochRow,
    Metrics,
    Report,
    SaflexFacts,
    Scores,
    Selected,
    Timing,
)

RECIPE = """\
name: smoke/{name}
data: {{name: digits}}
model: {{name: small_cnn, width: 16}}
augmenter:
  - {{name: rotation, degrees: 60}}
  - {{name: corrupt_labels, share: 0.3}}
optimizer: {{name: adam, lr: 1.0e-3}}
train: {{epochs: 3, batch_size: 50}}
methods:
  - {{name: no_aug}}
  - {{name: upstream}}
  - {{name: upstream, train_on: [train, val]}}
  - {{name: saflex, preset: proximal, label_retention: 1.0}}
seeds: [0, 1, 2]
"""

TABLE = """\
name: one
title: Digits with wrong labels
caption: >
  A smoke test whose numbers are made up.
columns:
  - {recipe: digits.yaml, title: Digits}
rows:
  - {method: no_aug, title: no augmentation}
  - {method: upstream, title: upstream}
  - {method: upstream_trainval, title: upstream on train+val}
  - {method: saflex_proximal, title: SAFLEX proximal}
baseline: upstream
fair: upstream_trainval
"""

TWO = """\
name: two
title: Two recipes & what the paper prints
metric: auroc
columns:
  - {recipe: digits.yaml, title: Digits_1, published: {table: "1", column: pathmnist, backbone: resnet18}}
  - {recipe: other.yaml, title: "Other [%]"}
rows:
  - {method: no_aug, title: "[no aug]", published: no_aug}
  - {method: upstream, title: upstream}
  - {method: upstream_trainval, title: upstream on train+val}
  - {method: saflex_proximal, title: SAFLEX proximal, published: saflex_randaugment}
baseline: upstream
fair: upstream_trainval
"""

PUBLISHED = """\
table,column,backbone,method,mean,std
1,pathmnist,resnet18,no_aug,94.34,0.18
1,pathmnist,resnet18,randaugment,93.52,0.09
1,pathmnist,resnet18,saflex_randaugment,95.11,0.14
"""

VALUES = {
    "no_aug": (90.0, 91.0, 92.5),
    "upstream": (92.0, 93.0, 94.0),
    "upstream_trainval": (94.0, 95.5, 95.0),
    "saflex_proximal": (94.1, 95.0, 96.2),
}
"""Percent at the selected epoch, by label and seed; half a point less at the last epoch."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recipes, two tables of them, and published numbers."""
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    texts = {
        "digits.yaml": RECIPE.format(name="digits"),
        "other.yaml": RECIPE.format(name="other"),
        "one.yaml": TABLE,
        "two.yaml": TWO,
        "published.csv": PUBLISHED,
    }
    for name, text in texts.items():
        (recipes / name).write_text(text, encoding="utf-8")
    return recipes


@pytest.fixture
def recipe(folder: Path) -> Recipe:
    return load_recipe(folder / "digits.yaml")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """An empty results folder."""
    return tmp_path / "results"


@pytest.fixture
def filled(results: Path, folder: Path) -> Path:
    """A results folder with every report of both recipes."""
    for name in ("digits", "other"):
        write_all(results, load_recipe(folder / f"{name}.yaml"))
    return results


def write_all(results: Path, recipe: Recipe) -> None:
    for label, values in VALUES.items():
        write_values(results, recipe, label, values)


def write_values(results: Path, recipe: Recipe, label: str, percent: Sequence[float]) -> None:
    for seed, value in enumerate(percent):
        write_report(results, make_report(recipe, label, seed, value / 100), [make_row(epoch=1)])


ENVIRONMENT = Environment(
    saflex="0.1.0",
    python="3.11.7",
    torch="2.13.0",
    device="cpu",
    threads=1,
    git_commit="0" * 40,
    git_dirty=False,
)


def make_report(recipe: Recipe, label: str, seed: int, value: float) -> Report:
    """A report whose selected test accuracy is `value`, with AUROC one point above."""
    method = find_method(recipe, label)
    config = run_config(recipe, method)
    on_both = method.train_on == ("train", "val")
    facts = SaflexFacts(mean_weight=0.9 + seed / 100, label_change_rate=0.125, dropped_steps=seed, steps=30)
    return Report(
        recipe=recipe.name,
        method=label,
        seed=seed,
        config=config,
        config_hash=config_hash(config),
        data=DataFacts(train=500, val=250, test=1047, classes=10, sha256="0" * 64),
        parameters=24_202,
        selected=None if on_both else Selected(**scores(2, value), metric="accuracy", split="val"),
        last=Scores(**scores(3, value - 0.005) | ({"val": None} if on_both else {})),
        saflex=facts if method.name == "saflex" else None,
        timing=Timing(train_seconds=1.2345678901234567, total_seconds=2.3456789012345678, steps_per_second=24.3),
        environment=ENVIRONMENT,
    )


def scores(epoch: int, value: float) -> dict[str, object]:
    return {"epoch": epoch, "val": metrics(value), "test": metrics(value)}


def metrics(value: float) -> Metrics:
    return Metrics(accuracy=value, auroc=min(1.0, value + 0.01), loss=0.12345678901234567)


def make_row(*, epoch: int) -> EpochRow:
    return EpochRow(
        epoch=epoch,
        train_loss=1 / 3,
        val_accuracy=0.5,
        val_auroc=None,
        val_loss=2e-7,
        mean_weight=None,
        label_change_rate=None,
        dropped_steps=4,
    )
