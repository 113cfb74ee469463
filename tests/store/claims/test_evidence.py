"""What is said about our reports, on made-up ones."""

from pathlib import Path

import pytest

from saflex_cli.config.load import load_recipe
from saflex_cli.errors import ResultsError
from saflex_cli.store.claims.evidence import (
    crop_against_no_augmentation,
    overheads,
    saflex_against_no_augmentation,
    saflex_against_upstream,
    upstream_against_no_augmentation,
)
from saflex_cli.store.claims.measured import Measured
from saflex_cli.store.files import read_report, report_path, write_report
from tests.store.conftest import write_values

RECIPE = """\
name: smoke/{name}
data: {{name: medmnist, subset: {subset}}}
model: {{name: resnet18, width: {width}}}
augmenter: {{name: {augmenter}}}
optimizer: {{name: adam, lr: 1.0e-3}}
train: {{epochs: {epochs}, batch_size: 128}}
methods:
  - {{name: no_aug}}
  - {{name: upstream}}
  - {{name: upstream, train_on: [train, val]}}
  - {{name: saflex, preset: proximal}}
  - {{name: saflex, preset: bootstrap, label: bootstrap}}
seeds: [0, 1, 2]
"""

TABLE = """\
name: {name}
title: Made up
columns:
  - {{recipe: ../{name}.yaml, title: One}}
rows:
  - {{method: no_aug, title: nothing}}
  - {{method: upstream, title: upstream}}
  - {{method: saflex_proximal, title: SAFLEX}}
  - {{method: bootstrap, title: bootstrap}}
baseline: upstream
"""

SETTING = "ResNet-18 of width 16, 30 epochs, sets that are not in the paper"


def write_recipe(folder: Path, name: str, *, subset: str, augmenter: str, width: int = 16, epochs: int = 30) -> Path:
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    (folder / "tables" / f"{name}.yaml").write_text(TABLE.format(name=name))
    path = folder / f"{name}.yaml"
    path.write_text(RECIPE.format(name=name, subset=subset, augmenter=augmenter, width=width, epochs=epochs))
    return path


def measured(folder: Path, results: Path) -> Measured:
    return Measured.load(folder / "tables", results)


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    return tmp_path / "recipes"


def test_nothing_measured_yet(recipes: Path, results: Path):
    write_recipe(recipes, "one", subset="breastmnist", augmenter="mixup")
    found = measured(recipes, results)
    assert found == Measured()
    assert saflex_against_upstream(found) == overheads(found) == ()


def test_differences_and_what_is_clear(recipes: Path, results: Path):
    recipe = load_recipe(write_recipe(recipes, "one", subset="breastmnist", augmenter="mixup"))
    write_values(results, recipe, "no_aug", (70.0, 80.0, 90.0))
    write_values(results, recipe, "upstream", (80.0, 81.0, 82.0))
    write_values(results, recipe, "saflex_proximal", (82.0, 83.1, 83.9))
    write_values(results, recipe, "bootstrap", (10.0, 11.0, 12.0))
    found = measured(recipes, results)
    (against,) = saflex_against_upstream(found)
    assert against.setting == SETTING
    # The ablation is no SAFLEX, and says nothing about the paper's claims.
    assert against.lines == (
        "`saflex_proximal` − `upstream`: BreastMNIST with Mixup +2.00; above in 1 of 1, clearly above in 1, clearly "
        "below in 0 (n = 3)",
    )
    (nothing,) = saflex_against_no_augmentation(found)
    assert "BreastMNIST with Mixup +3.00; above in 1 of 1, clearly above in 0" in nothing.lines[0]
    (upstream,) = upstream_against_no_augmentation(found)
    assert "`upstream` − `no_aug`: BreastMNIST with Mixup +1.00" in upstream.lines[0]
    assert crop_against_no_augmentation(found) == ()


def test_later_reports_are_taken_in(recipes: Path, results: Path):
    """Other protocols apart, sets of the paper named, many comparisons summarised, common seeds counted."""
    subsets = ("pathmnist", "dermamnist", "octmnist", "bloodmnist", "organamnist")
    for number, subset in enumerate(subsets):
        path = write_recipe(recipes, f"r{number}", subset=subset, augmenter="randaugment", width=64, epochs=100)
        recipe = load_recipe(path)
        write_values(results, recipe, "upstream", (80.0, 81.0, 82.0)[: 3 if number else 2])
        write_values(results, recipe, "saflex_proximal", (79.0 + number, 80.0 + number, 81.0 + number))
    short = load_recipe(write_recipe(recipes, "short", subset="retinamnist", augmenter="mixup"))
    write_values(results, short, "upstream", (80.0, 81.0, 82.0))
    write_values(results, short, "saflex_proximal", (79.0, 80.0, 81.0))
    full, other = saflex_against_upstream(measured(recipes, results))
    assert full.setting == "ResNet-18 of width 64, 100 epochs, sets of Table 1"
    assert full.lines == (
        "`saflex_proximal` − `upstream`: mean +1.00, from -1.00 to +3.00; above in 3 of 5, clearly above in 3, clearly "
        "below in 1 (n = 2 to 3)",
    )
    assert other.setting == SETTING
    assert "RetinaMNIST with Mixup -1.00" in other.lines[0]


def test_overheads_are_paired(recipes: Path, results: Path):
    recipe = load_recipe(write_recipe(recipes, "one", subset="breastmnist", augmenter="mixup"))
    for label in ("upstream", "saflex_proximal"):
        write_values(results, recipe, label, (80.0, 81.0, 82.0))
    for seed, seconds in enumerate((15.0, 20.0, 25.0)):
        for label, factor in (("upstream", 1.0), ("saflex_proximal", 1.5 + seed / 10)):
            change_report(results, label, seed, train_seconds=seconds * factor)
    change_report(results, "saflex_proximal", 2, device="cuda")
    (overhead,) = overheads(measured(recipes, results))
    assert overhead.lines == ("`saflex_proximal` with Mixup: +55 % (2 pairs of runs, +50 to +60 %)",)


def change_report(
    results: Path, label: str, seed: int, *, train_seconds: float | None = None, device: str | None = None
) -> None:
    report = read_report(report_path(results, "smoke/one", label, seed))
    timing = report.timing.model_copy(update={"train_seconds": train_seconds} if train_seconds else {})
    environment = report.environment.model_copy(update={"device": device} if device else {})
    write_report(results, report.model_copy(update={"timing": timing, "environment": environment}), [])


def test_a_stale_report_is_an_error(recipes: Path, results: Path):
    path = write_recipe(recipes, "one", subset="breastmnist", augmenter="mixup")
    write_values(results, load_recipe(path), "upstream", (80.0, 81.0, 82.0))
    path.write_text(path.read_text().replace("epochs: 30", "epochs: 31"))
    with pytest.raises(ResultsError, match=r"train\.epochs: 30 → 31"):
        measured(recipes, results)
