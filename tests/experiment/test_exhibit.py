"""What `saflex show` draws: the same again, without a trace on the run, and what the core says about it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from saflex_cli.config.schema import Recipe
from saflex_cli.core import Saflex
from saflex_cli.errors import RecipeError
from saflex_cli.experiment import Places, checkpoint_path, run_one
from saflex_cli.experiment.exhibit import Exhibit, exhibit, require_showable
from saflex_cli.experiment.finished import load_finished
from tests.recipes import make_recipe

PLANE: dict[str, Any] = {
    "name": "tests/plane",
    "data": {"name": "gaussians", "train": 45, "val": 30, "test": 30, "spread": 0.4},
    "model": {"name": "mlp", "hidden": [8]},
    "augmenter": {"name": "gaussian_noise", "std": 0.7},
    "train": {"epochs": 2, "batch_size": 20},
}


def trained(folder: Path, label: str, **changes: Any) -> tuple[Recipe, Path]:
    recipe, places = make_recipe(folder, **changes), Places(folder / "results", folder / "runs")
    run_one(recipe, label, 0, places=places)
    state = "last" if "trainval" in label else "selected"
    return recipe, checkpoint_path(places, recipe.name, label, 0, state)


def show(path: Path, count: int = 10) -> Exhibit:
    return exhibit(path, count=count, device="cpu")


def test_a_batch_of_images_lowest_weight_first(tmp_path: Path) -> None:
    _, path = trained(tmp_path, "saflex_proximal")
    before, state = path.read_bytes(), torch.get_rng_state()
    shown, again = show(path), show(path)
    assert torch.equal(state, torch.get_rng_state())
    assert path.read_bytes() == before
    assert (shown.recipe, shown.method, shown.seed, shown.state) == ("tests/digits", "saflex_proximal", 0, "selected")
    assert (len(shown.samples), len(shown.drawn)) == (32, 10)
    assert sorted(shown.drawn.index) == sorted(shown.samples.index[:10])
    assert (np.diff(shown.drawn.weights) >= 0).all()
    np.testing.assert_array_equal(shown.samples.learned, again.samples.learned)
    np.testing.assert_allclose(shown.samples.learned.sum(1), 1, atol=1e-6)
    assert shown.samples.augmented.shape == (32, 1, 8, 8)
    assert shown.plane is None
    assert shown.groups == ()


def test_weights_and_labels_are_the_cores_own(tmp_path: Path) -> None:
    """Refined once more by one call of the core on the batch that was shown."""
    recipe, path = trained(tmp_path, "saflex_proximal", model={"name": "small_cnn", "width": 4})
    shown = show(path).samples
    finished = load_finished(path, data_root=None, device="cpu")
    val = finished.parts.splits.val
    refined = Saflex(preset="proximal")(
        model=finished.model.train(),
        inputs=torch.from_numpy(shown.augmented).float(),
        upstream_labels=torch.from_numpy(shown.upstream).float(),
        outer_inputs=val.inputs,
        outer_labels=val.labels,
    )
    assert recipe.methods[4].name == "saflex"
    np.testing.assert_allclose(refined.soft_labels.numpy(), shown.learned, atol=1e-5)
    np.testing.assert_array_equal(refined.sample_weights.numpy(), shown.weights)


def test_the_clean_samples_are_those_of_the_training_data(tmp_path: Path) -> None:
    _, path = trained(tmp_path, "upstream_trainval")
    shown = show(path).samples
    splits = load_finished(path, data_root=None, device="cpu").parts.splits
    train = splits.train.joined(splits.val)
    np.testing.assert_allclose(shown.clean, train.inputs[torch.from_numpy(shown.index)].numpy())
    corrupted = shown.upstream.argmax(1) != train.labels[torch.from_numpy(shown.index)].numpy()
    assert 0 < corrupted.sum() < 32


def test_upstream_keeps_its_labels_and_weights(tmp_path: Path) -> None:
    _, path = trained(tmp_path, "upstream")
    shown = show(path).samples
    assert (shown.weights == 1).all()
    np.testing.assert_array_equal(shown.learned, shown.upstream)
    assert not shown.changed.any()


def test_methods_of_one_seed_are_shown_the_same_batch(tmp_path: Path) -> None:
    (_, first), (_, second) = (trained(tmp_path, label) for label in ("upstream", "saflex_paper"))
    np.testing.assert_array_equal(show(first).samples.augmented, show(second).samples.augmented)
    np.testing.assert_array_equal(show(first).samples.upstream, show(second).samples.upstream)


@pytest.mark.parametrize("label", ["saflex_proximal", "upstream"])
def test_points_are_shown_in_the_plane_all_of_them_counted(tmp_path: Path, label: str) -> None:
    _, path = trained(tmp_path, label, **PLANE)
    shown = show(path, count=7)
    assert shown.plane is not None
    assert (len(shown.drawn), len(shown.samples)) == (7, 45)
    assert sorted(shown.samples.index.tolist()) == list(range(45))
    left, right, bottom, top = shown.plane.extent
    assert right - left == pytest.approx(top - bottom)
    for points in (shown.plane.points, shown.drawn.clean, shown.drawn.augmented):
        assert (points > [left, bottom]).all()
        assert (points < [right, top]).all()
    np.testing.assert_allclose(shown.plane.probabilities.sum(2), 1, atol=1e-5)
    assert [group.n for group in shown.groups][:2] == [11, 34]
    assert shown.groups[2].n + shown.groups[3].n == 45


def test_rows_of_the_grid_go_up_and_columns_go_right(tmp_path: Path) -> None:
    _, path = trained(tmp_path, "upstream", **PLANE | {"train": {"epochs": 40, "batch_size": 20}})
    plane = show(path).plane
    assert plane is not None
    best = plane.probabilities.argmax(2)
    assert best[-1, best.shape[1] // 2] == 0  # at the top
    assert (best[0, 0], best[0, -1]) == (1, 2)  # at the lower left and right


def test_what_cannot_be_shown(tmp_path: Path) -> None:
    methods = [{"name": "no_aug"}, {"name": "saflex", "preset": "proximal", "precondition": True}]
    recipe, path = trained(tmp_path, "no_aug", methods=methods)
    with pytest.raises(RecipeError, match="no_aug has no upstream augmentation"):
        show(path)
    with pytest.raises(RecipeError, match="precondition needs the state of Adam"):
        require_showable(recipe.methods[1])


@pytest.mark.parametrize(("narrow_from", "wide"), [(1, False), (2, True)])
def test_a_scheduled_augmentation_is_shown_as_in_the_states_own_epoch(
    tmp_path: Path, narrow_from: int, wide: bool
) -> None:
    """The last of two epochs is number 1, counted from 0; in a narrow one nothing is shifted, so every weight is 1."""
    recipe, _ = trained(
        tmp_path,
        "upstream",
        augmenter={"name": "soft_crop", "narrow_from": narrow_from},
        train={"epochs": 2, "batch_size": 32},
    )
    last = checkpoint_path(Places(tmp_path / "results", tmp_path / "runs"), recipe.name, "upstream", 0, "last")
    assert bool((show(last).samples.weights < 1).any()) is wide


def test_samples_mixed_inside_the_model_cannot_be_drawn(tmp_path: Path) -> None:
    mixup = {"name": "embedding_mixup", "share": 0.3}
    _, path = trained(tmp_path, "saflex_proximal", **{**PLANE, "augmenter": mixup})
    with pytest.raises(RecipeError, match=r"^saflex_proximal: embedding_mixup mixes samples inside the model"):
        show(path)
