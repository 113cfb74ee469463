"""Rows of a table end to end: every method and every augmentation on a table with categories and missing values."""

from pathlib import Path
from typing import Any

import pytest
import torch

from saflex_cli.data.splits import PixelScale, Split, Splits
from saflex_cli.errors import RecipeError
from saflex_cli.experiment.parts import build_parts
from saflex_cli.train.evaluate import evaluate, predict
from tests.recipes import make_recipe

MLP = {"name": "mlp", "hidden": [16], "dropout": 0.1, "batch_norm": True, "missing_indicator": True}
SAINT = {"name": "saint", "dim": 4, "depth": 1, "heads": 2}
METHODS: list[dict[str, Any]] = [
    {"name": "no_aug"},
    {"name": "upstream"},
    {"name": "saflex", "preset": "paper"},
    {"name": "saflex", "preset": "proximal", "clean_batch": True},
    {"name": "saflex", "preset": "l2rw"},
]


def split(count: int, seed: int) -> Split:
    """The sign of the first number is the class; where it is missing, the parity of the last code is."""
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randn(count, 2, generator=generator)
    missing = torch.rand(count, generator=generator) < 0.4
    codes = torch.randint(4, (count, 2), generator=generator)
    labels = torch.where(missing, codes[:, 1] % 2, (numbers[:, 0] > 0).long())
    numbers[missing, 0] = torch.nan
    return Split(torch.cat([numbers, codes.float()], dim=1), labels)


def table() -> Splits:
    train, val, test = (split(count, seed) for seed, count in enumerate((300, 60, 200)))
    return Splits(train, val, test, ("no", "yes"), PixelScale(0.0, 1.0), sha256="made up", levels=(4, 4))


def trained(folder: Path, label: str, *, epochs: int = 1, **changes: Any) -> dict[str, float]:
    """Test metrics after training."""
    settings: dict[str, Any] = {
        "data": {"name": "gaussians", "classes": 2},  # stands for the table, which no recipe names
        "optimizer": {"name": "adamw", "lr": 1.0e-2},
        "train": {"epochs": epochs, "batch_size": 32},
        "methods": METHODS,
    }
    recipe = make_recipe(folder, **(settings | changes))
    parts = build_parts(recipe, label, 0, None, splits=table())
    cpu = torch.device("cpu")
    model = parts.model(cpu)
    parts.fit(model, cpu, folder / "resume.safetensors").run(lambda _: None)
    return evaluate(model, parts.splits.test)


@pytest.mark.parametrize("augmenter", ["cell_cutmix", "column_cutmix", "embedding_mixup"])
@pytest.mark.parametrize(
    "model",
    [
        pytest.param(MLP, id="mlp"),
        pytest.param(SAINT, id="saint"),
        pytest.param(SAINT | {"attention": "column+row"}, id="saint-rows", marks=pytest.mark.slow),
    ],
)
def test_every_method_trains(tmp_path: Path, model: dict[str, Any], augmenter: str) -> None:
    losses = []
    for label in ("no_aug", "upstream", "saflex_paper", "saflex_proximal_clean", "saflex_l2rw"):
        (tmp_path / label).mkdir()
        losses.append(trained(tmp_path / label, label, model=model, augmenter={"name": augmenter})["loss"])
    assert len(set(losses)) == 5, "two methods did the same"


@pytest.mark.parametrize("model", [MLP, SAINT], ids=["mlp", "saint"])
def test_numbers_categories_and_missing_values_are_learned(tmp_path: Path, model: dict[str, Any]) -> None:
    """Without the codes 80 % would be the most on average, and without the numbers 70 %."""
    found = trained(tmp_path, "upstream", epochs=15, model=model, augmenter={"name": "cell_cutmix"})
    assert found["accuracy"] > 0.9


def test_mixup_of_codes_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"2 of the 4 columns are categorical.*use embedding_mixup"):
        trained(tmp_path, "upstream", model=MLP, augmenter={"name": "mixup"})


def test_without_row_attention_a_prediction_is_the_same_in_any_batch(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, data={"name": "gaussians"}, model=SAINT, augmenter={"name": "cell_cutmix"})
    model = build_parts(recipe, "no_aug", 0, None, splits=table()).model(torch.device("cpu"))
    rows = table().test.inputs
    torch.testing.assert_close(predict(model, rows[:7]), predict(model, rows)[:7])
