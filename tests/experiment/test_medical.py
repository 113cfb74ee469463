"""The medical family end to end, on a made-up file in MedMNIST's format: every method, every augmentation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saflex_cli.errors import RecipeError
from saflex_cli.experiment import Places, run
from tests.recipes import make_recipe

METHODS: list[dict[str, Any]] = [
    {"name": "no_aug"},
    {"name": "upstream"},
    {"name": "saflex", "preset": "paper"},
    {"name": "saflex", "preset": "proximal"},
    {"name": "saflex", "preset": "l2rw"},
    {
        "name": "upstream",
        "label": "soft_augmentation",
        "normalise": "batch",
        "augmenter": {"name": "soft_crop", "narrow_from": 1},
    },
    {"name": "lp_a3", "iterations": 2},
]


def write_npz(path: Path, channels: int, classes: int = 4) -> None:
    random = np.random.default_rng(0)
    shape = (28, 28) if channels == 1 else (28, 28, 3)
    arrays: dict[str, np.ndarray] = {}
    for split, size in (("train", 48), ("val", 16), ("test", 24)):
        arrays[f"{split}_images"] = random.integers(0, 256, (size, *shape), dtype=np.uint8)
        arrays[f"{split}_labels"] = (np.arange(size) % classes).astype(np.uint8)[:, None]
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ("augmenter", "channels"),
    [("randaugment", 1), ("mixup", 3), pytest.param("crop", 1, marks=pytest.mark.slow)],
    ids=str,
)
def test_every_method_runs_for_an_epoch(tmp_path: Path, augmenter: str, channels: int) -> None:
    write_npz(tmp_path / "made_up.npz", channels)
    recipe = make_recipe(
        tmp_path,
        data={"name": "npz", "path": "made_up.npz"},
        model={"name": "resnet18", "width": 4},
        augmenter={"name": augmenter},
        train={"epochs": 1, "batch_size": 16},
        selection={"metric": "auroc"},
        methods=METHODS if augmenter == "crop" else METHODS[:4],
    )
    reports = run(recipe, seeds=[0], places=Places(tmp_path / "results", tmp_path / "runs", tmp_path))
    assert [report.method for report in reports] == [method.label for method in recipe.methods]
    for report in reports:
        assert (report.data.train, report.data.val, report.data.test, report.data.classes) == (48, 16, 24, 4)
        assert report.selected is not None
        assert report.selected.metric == "auroc"
        assert report.parameters == reports[0].parameters
    assert len({report.last.test.loss for report in reports}) == len(reports), "two methods did the same"


def test_chest_images_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"data\.subset: .*multi-label"):
        make_recipe(tmp_path, data={"name": "medmnist", "subset": "chestmnist"})
