"""Every seed of a program is trained as by itself: the same random streams, the same steps, the same epoch selected."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from saflex_cli.config.schema import Recipe
from saflex_cli.data.splits import PixelScale, Split, Splits
from saflex_cli.errors import RecipeError
from saflex_cli.experiment.parts import Parts, build_parts
from saflex_cli.experiment.together import stacked_fit
from saflex_cli.settings import PRESETS
from saflex_cli.train.loop import TrainingState
from saflex_cli.train.together.program import Program
from tests.recipes import make_recipe

CPU = torch.device("cpu")
SEEDS = (0, 3)
METHODS: list[dict[str, Any]] = [
    {"name": "no_aug"},
    {"name": "upstream"},
    {"name": "upstream", "train_on": ["train", "val"]},
    {"name": "upstream", "clean_batch": True, "normalise": "batch"},
    *({"name": "saflex", "preset": preset} for preset in PRESETS),
    {"name": "saflex", "preset": "proximal", "clean_batch": True, "label": "clean"},
    {"name": "saflex", "preset": "paper", "outer_every": 2, "outer": "train+val", "label": "every_second"},
    {"name": "saflex", "preset": "proximal", "outer_every": "auto", "label": "auto"},
    {"name": "saflex", "preset": "paper", "alignment_mode": "eval", "outer_reduction": "sum", "label": "eval"},
    {"name": "saflex", "preset": "bootstrap", "alignment_mode": "eval", "label": "bootstrap_eval"},
    {"name": "saflex", "preset": "lp", "alignment_of": "prob", "alignment_sign": -1, "label": "prob"},
    {"name": "saflex", "preset": "paper", "scope": "head", "simplex_weights": True, "label": "head_simplex"},
]
LABELS = ["no_aug", "upstream", "upstream_trainval", "upstream_clean", *(f"saflex_{preset}" for preset in PRESETS)]
LABELS += ["clean", "every_second", "eval", "bootstrap_eval", "prob", "head_simplex"]


def split(count: int, number: int, dtype: torch.dtype) -> Split:
    """Two numbers, one of them often missing, and two codes; the sign of the first number is mostly the class."""
    generator = torch.Generator().manual_seed(number)
    numbers = torch.randn(count, 2, generator=generator, dtype=torch.float64)
    codes = torch.randint(4, (count, 2), generator=generator)
    labels = torch.where(codes[:, 0] == 0, codes[:, 1] % 2, (numbers[:, 0] > 0).long())
    numbers[torch.rand(count, generator=generator) < 0.3, 1] = torch.nan
    return Split(torch.cat([numbers, codes.double()], dim=1).to(dtype), labels)


def table(seed: int, dtype: torch.dtype = torch.float64, *, train: int = 60) -> Splits:
    """Another split for every seed, and another number of codes for the first."""
    parts = (split(count, 10 * seed + number, dtype) for number, count in enumerate((train, 20, 20)))
    levels = (5 if seed == 0 else 6, 4)
    return Splits(*parts, ("no", "yes"), PixelScale(0.0, 1.0), sha256="made up", levels=levels)


def recipe_of(folder: Path, **changes: Any) -> Recipe:
    settings: dict[str, Any] = {
        "data": {"name": "gaussians", "classes": 2},  # stands for the table, which no recipe names
        "model": {"name": "mlp", "hidden": [7, 5], "dropout": 0.2, "missing_indicator": True},
        "augmenter": {"name": "cell_cutmix"},
        "optimizer": {"name": "adamw", "lr": 1.0e-2, "milestones": [1]},
        "train": {"epochs": 2, "batch_size": 24},
        "selection": {"metric": "auroc", "split": "val"},
        "methods": METHODS,
    }
    return make_recipe(folder, **(settings | changes))


def parts_of(recipe: Recipe, label: str, dtype: torch.dtype, **sizes: Any) -> list[Parts]:
    return [build_parts(recipe, label, seed, None, splits=table(seed, dtype, **sizes)) for seed in SEEDS]


def apart(parts: list[Parts], folder: Path, dtype: torch.dtype) -> list[tuple[TrainingState, dict[str, Tensor]]]:
    """What the loop for a single run makes of each."""
    found = []
    for part in parts:
        model = part.model(CPU).to(dtype)
        state = part.fit(model, CPU, folder / f"{part.seed}.safetensors").run(lambda _: None)
        found.append((state, model.state_dict()))
    return found


def together(parts: list[Parts], folder: Path, dtype: torch.dtype) -> list[tuple[TrainingState, dict[str, Tensor]]]:
    models = [part.model(CPU).to(dtype) for part in parts]
    fit = stacked_fit(parts, models, CPU, folder / "together.safetensors")
    program = fit.run(lambda _: None)
    assert program.failures == {}
    return list(zip(program.states, fit.stack.split(fit.stack.parameters), strict=True))


def check_equal(parts: list[Parts], folder: Path, dtype: torch.dtype, **tolerance: float) -> None:
    ended = zip(apart(parts, folder, dtype), together(parts, folder, dtype), strict=True)
    for (expected, last), (state, stacked) in ended:
        torch.testing.assert_close(stacked, last, **tolerance)
        torch.testing.assert_close(state.best, expected.best, **tolerance)
        assert (state.epoch, state.steps, state.best_epoch) == (expected.epoch, expected.steps, expected.best_epoch)
        for row, expected_row in zip(state.curve, expected.curve, strict=True):
            assert row.keys() == expected_row.keys()
            for name, value in expected_row.items():
                near = value if value is None else pytest.approx(value, rel=tolerance["rtol"], abs=tolerance["atol"])
                assert row[name] == near, name


@pytest.mark.parametrize("label", LABELS)
def test_every_seed_in_double_precision(tmp_path: Path, label: str) -> None:
    check_equal(parts_of(recipe_of(tmp_path), label, torch.float64), tmp_path, torch.float64, rtol=1e-6, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("label", ["no_aug", "upstream", *(f"saflex_{preset}" for preset in PRESETS)])
def test_every_seed_in_single_precision(tmp_path: Path, label: str) -> None:
    check_equal(parts_of(recipe_of(tmp_path), label, torch.float32), tmp_path, torch.float32, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("label", ["upstream", "saflex_paper"])
@pytest.mark.parametrize(
    "changes",
    [
        {"augmenter": {"name": "column_cutmix"}},
        {"augmenter": {"name": "embedding_mixup", "per_sample": True}},
        {"optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9}},
        {"optimizer": {"name": "adam", "weight_decay": 0.1}, "selection": {"metric": "loss", "split": "val"}},
        {"model": {"name": "mlp", "hidden": [], "dropout": 0.5}},
        {"model": {"name": "mlp", "hidden": [9], "dropout": 0.0, "embedding": 2}},
        {"train": {"epochs": 2, "batch_size": 59}},  # the last batch would be a single sample
    ],
    ids=["column", "mixup", "sgd", "adam", "linear", "no-dropout", "remainder"],
)
def test_whatever_else_a_recipe_says(tmp_path: Path, label: str, changes: dict[str, Any]) -> None:
    parts = parts_of(recipe_of(tmp_path, **changes), label, torch.float64)
    check_equal(parts, tmp_path, torch.float64, rtol=1e-6, atol=1e-9)


def test_images(tmp_path: Path) -> None:
    """A multilayer perceptron takes them, too, as bytes that it normalises."""
    recipe = make_recipe(
        tmp_path, model={"name": "mlp", "hidden": [8], "dropout": 0.1}, train={"epochs": 2, "batch_size": 50}
    )
    parts = [build_parts(recipe, "saflex_proximal", seed, None) for seed in SEEDS]
    check_equal(parts, tmp_path, torch.float32, rtol=1e-3, atol=1e-4)


def test_the_seeds_differ(tmp_path: Path) -> None:
    ended = together(parts_of(recipe_of(tmp_path), "saflex_paper", torch.float64), tmp_path, torch.float64)
    assert len({state.curve[-1]["train_loss"] for state, _ in ended}) == len(SEEDS)


@pytest.mark.parametrize("kept", [(0, 3), (3,), (3, 0)])
def test_a_stopped_program_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: tuple[int, ...]
) -> None:
    """Whichever of its seeds are still wanted."""
    monkeypatch.setattr("saflex_cli.train.together.loop.SAVE_EVERY", 0.0)
    parts = parts_of(recipe_of(tmp_path), "saflex_paper", torch.float64)
    whole = dict(zip(SEEDS, together(parts, tmp_path / "whole", torch.float64), strict=True))

    def stop(program: Program) -> None:
        if program.epoch == 1:
            raise KeyboardInterrupt

    path = tmp_path / "together.safetensors"
    models = [part.model(CPU).double() for part in parts]
    with pytest.raises(KeyboardInterrupt):
        stacked_fit(parts, models, CPU, path).run(stop)
    epochs: list[int] = []
    wanted = [part for seed in kept for part in parts if part.seed == seed]
    fit = stacked_fit(wanted, [part.model(CPU).double() for part in wanted], CPU, path)
    program = fit.run(lambda program: epochs.append(program.epoch))
    assert epochs == [2]
    last = fit.stack.split(fit.stack.parameters)
    for seed, state, parameters in zip(kept, program.states, last, strict=True):
        expected, expected_last = whole[seed]
        torch.testing.assert_close(parameters, expected_last)
        torch.testing.assert_close(state.best, expected.best)
        assert [row["val_loss"] for row in state.curve] == pytest.approx([row["val_loss"] for row in expected.curve])


def test_a_checkpoint_without_a_wanted_seed_is_not_used(tmp_path: Path) -> None:
    parts = parts_of(recipe_of(tmp_path), "no_aug", torch.float32)
    path = tmp_path / "together.safetensors"
    stacked_fit(parts[:1], [part.model(CPU) for part in parts[:1]], CPU, path).run(lambda _: None)
    epochs: list[int] = []
    stacked_fit(parts, [part.model(CPU) for part in parts], CPU, path).run(lambda program: epochs.append(program.epoch))
    assert epochs == [1, 2]


def test_one_seed_that_breaks_leaves_the_others_alone(tmp_path: Path) -> None:
    parts = parts_of(recipe_of(tmp_path), "upstream", torch.float64)
    train = parts[1].splits.train
    broken = replace(parts[1].splits, train=Split(train.inputs * torch.tensor([1e308, 1, 1, 1]), train.labels))
    ill = [replace(parts[1], splits=broken), parts[0]]
    fit = stacked_fit(ill, [part.model(CPU).double() for part in ill], CPU, tmp_path / "together.safetensors")
    program = fit.run(lambda _: None)
    assert list(program.failures) == [0]
    assert str(program.failures[0]).startswith("the loss is ")
    assert program.failures[0].__notes__ == ["recipe tests/digits, method upstream, seed 3"]
    again = stacked_fit(ill, [part.model(CPU).double() for part in ill], CPU, tmp_path / "together.safetensors")
    assert str(again.run(lambda _: None).failures[0]) == str(program.failures[0]), "forgotten by the checkpoint"
    expected = apart([parts[0]], tmp_path, torch.float64)[0][1]
    torch.testing.assert_close(fit.stack.split(fit.stack.parameters)[1], expected)


def test_splits_of_unequal_sizes_are_refused(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path)
    parts = [build_parts(recipe, "no_aug", seed, None, splits=table(seed, train=60 + seed)) for seed in SEEDS]
    with pytest.raises(RecipeError, match=r"differ in size; give all of them one split .* or train them one by one"):
        stacked_fit(parts, [part.model(CPU) for part in parts], CPU, tmp_path / "together.safetensors")


def test_nets_of_unequal_widths_are_refused(tmp_path: Path) -> None:
    parts = parts_of(recipe_of(tmp_path), "no_aug", torch.float32)
    wide = replace(parts[0], splits=replace(parts[0].splits, levels=(40, 4)))
    with pytest.raises(RecipeError, match=r"differ in their widths; give all of them one split"):
        stacked_fit([wide, parts[1]], [wide.model(CPU), parts[1].model(CPU)], CPU, tmp_path / "t.safetensors")
