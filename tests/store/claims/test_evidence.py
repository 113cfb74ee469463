"""What is said about our reports, on made-up ones."""

from pathlib import Path

import pytest

from saflex_cli.config.load import load_recipe
from saflex_cli.errors import ResultsError
from saflex_cli.store.bench import Benchmark, MethodCost, write_benchmark
from saflex_cli.store.claims.evidence import (
    crop_against_no_augmentation,
    lp_a3_overhead,
    overheads,
    saflex_against_no_augmentation,
    saflex_against_upstream,
    soft_augmentation_against_crop,
    tabular_overheads,
    upstream_against_no_augmentation,
)
from saflex_cli.store.claims.measured import Measured
from saflex_cli.store.performance.epoch import epoch_path
from saflex_cli.store.performance.files import write_record
from tests.store.conftest import ENVIRONMENT, write_values
from tests.store.performance.made_up import costs

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


def write_costs(results: Path, name: str, **seconds: tuple[float, ...]) -> None:
    made = Benchmark(
        recipe=f"medmnist/{name}",
        data={},
        model={},
        train={},
        baseline="upstream",
        steps=1,
        costs=tuple(MethodCost(method=method, config_hash="0", seconds=own) for method, own in seconds.items()),
        environment=ENVIRONMENT,
    )
    write_benchmark(results, made)


def test_overheads_come_from_steps_made_in_turns(recipes: Path, results: Path):
    """Ratios 1.5, 1.5 and 1.75 against an upstream that slows down; LP-A3 only where it was measured."""
    write_costs(results, "one", upstream=(1.0, 2.0, 4.0), saflex_paper=(1.5, 3.0, 7.0), bootstrap=(1.0, 2.0, 4.0))
    write_costs(results, "two", upstream=(1.0,), saflex_paper=(2.0,), lp_a3=(9.0,))
    one, two = overheads(measured(recipes, results))
    assert one.setting == "a training step in medmnist/one on cpu, upstream = 0 %"
    assert one.lines == ("`saflex_paper`: +50 % (median of 3 rounds, quartiles +50 to +62 %)",)
    assert two.lines == ("`saflex_paper`: +100 % (median of 1 round, quartiles +100 to +100 %)",)
    (both,) = lp_a3_overhead(measured(recipes, results))
    assert both.lines[1].startswith("`lp_a3`: +800 %")


def test_overheads_of_epochs_are_told_by_data(recipes: Path, results: Path):
    [epochs] = costs().epochs.values()
    medical = epochs.model_copy(update={"recipe": "medmnist/one"})
    for one in (epochs, medical):
        write_record(epoch_path(results, one.recipe), one)
    found = measured(recipes, results)
    [tables], [images] = tabular_overheads(found), overheads(found)
    assert tables.setting == "an epoch in tabular/shrutime-mlp on cpu (abacus), upstream = 0 %"
    assert tables.lines == images.lines == ("`saflex_paper`: +60 % (median of 2 rounds, from +50 to +70 %)",)
    assert images.setting.startswith("an epoch in medmnist/one")


def test_soft_augmentation_is_no_other_augmentation(recipes: Path, results: Path):
    path = write_recipe(recipes, "one", subset="breastmnist", augmenter="crop")
    own = "  - {name: upstream, label: soft, augmenter: {name: soft_crop}}\n"
    own += "  - {name: upstream, label: other, augmenter: {name: mixup}}\n"
    path.write_text(path.read_text().replace("seeds: [0, 1, 2]", f"{own}seeds: [0, 1, 2]"))
    table = recipes / "tables" / "one.yaml"
    rows = "  - {method: soft, title: soft}\n  - {method: other, title: other}\nbaseline"
    table.write_text(table.read_text().replace("baseline", rows))
    for label, accuracy in (("upstream", 80.0), ("soft", 82.0), ("other", 90.0), ("no_aug", 70.0)):
        write_values(results, load_recipe(path), label, (accuracy, accuracy + 1, accuracy + 2))
    (evidence,) = soft_augmentation_against_crop(measured(recipes, results))
    assert [line.split(":")[0] for line in evidence.lines] == ["`soft` − `upstream`"]
    (evidence,) = crop_against_no_augmentation(measured(recipes, results))
    assert [line.split(":")[0] for line in evidence.lines] == ["`upstream` − `no_aug`"]


def test_one_seed_has_no_interval(recipes: Path, results: Path):
    recipe = load_recipe(write_recipe(recipes, "one", subset="breastmnist", augmenter="mixup"))
    write_values(results, recipe, "upstream", (80.0,))
    write_values(results, recipe, "saflex_proximal", (82.0,))
    (evidence,) = saflex_against_upstream(measured(recipes, results))
    assert evidence.lines == (
        "`saflex_proximal` − `upstream`: BreastMNIST with Mixup +2.00; above in 1 of 1; one seed has no interval "
        "(n = 1)",
    )


def test_a_stale_report_is_an_error(recipes: Path, results: Path):
    path = write_recipe(recipes, "one", subset="breastmnist", augmenter="mixup")
    write_values(results, load_recipe(path), "upstream", (80.0, 81.0, 82.0))
    path.write_text(path.read_text().replace("epochs: 30", "epochs: 31"))
    with pytest.raises(ResultsError, match=r"train\.epochs: 30 → 31"):
        measured(recipes, results)
