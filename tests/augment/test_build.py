"""Steps keep their random streams when others are left out; a user's function can take their place."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from saflex_cli.augment.batch import AugmentedBatch, Upstream
from saflex_cli.augment.build import build_upstream, upstream_from_function
from saflex_cli.augment.pool import PoolDraw
from saflex_cli.config.components import (
    AugmenterStep,
    CorruptLabels,
    Crop,
    Folder,
    GaussianNoise,
    Mixup,
    RandAugment,
    Rotation,
    WildsRandAugment,
)
from saflex_cli.config.pool import PoolSamples
from saflex_cli.config.tabular_components import CellCutMix, ColumnCutMix, EmbeddingMixup
from saflex_cli.errors import DataError, RecipeError
from saflex_cli.seeding import Streams

IMAGES = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(16) % 4
ROTATION = Rotation(name="rotation", degrees=60)
CORRUPTION = CorruptLabels(name="corrupt_labels", share=0.5)


def build(*steps: AugmenterStep) -> Upstream:
    names = ("a", "b", "c", "d")
    return build_upstream(steps, shape=(1, 8, 8), class_names=names, root=Path())


def augmented(upstream: Upstream, epoch: int = 0, seed: int = 0) -> AugmentedBatch:
    return upstream.epoch(Streams(seed), epoch)(IMAGES, LABELS)


def test_leaving_a_step_out_does_not_move_the_others() -> None:
    both, rotated, corrupted = (augmented(build(*s)) for s in ((ROTATION, CORRUPTION), (ROTATION,), (CORRUPTION,)))
    assert torch.equal(both.inputs, rotated.inputs)
    assert torch.equal(both.soft_labels, corrupted.soft_labels)
    assert torch.equal(corrupted.inputs, IMAGES)


def test_the_same_epoch_repeats_and_another_does_not() -> None:
    upstream = build(ROTATION)
    assert torch.equal(augmented(upstream).inputs, augmented(upstream).inputs)
    assert not torch.equal(augmented(upstream).inputs, augmented(upstream, epoch=1).inputs)
    assert not torch.equal(augmented(upstream).inputs, augmented(upstream, seed=1).inputs)


def test_two_steps_of_one_kind_have_streams_of_their_own() -> None:
    once, twice = augmented(build(ROTATION)), augmented(build(ROTATION, ROTATION))
    assert not torch.equal(once.inputs, twice.inputs)
    half = build(CORRUPTION, CORRUPTION)
    moved = (augmented(half).soft_labels.argmax(1) - LABELS) % 4
    assert set(moved.tolist()) == {0, 1, 2}


STEPS = (
    Rotation(name="rotation"),
    CorruptLabels(name="corrupt_labels", share=0.5),
    RandAugment(name="randaugment"),
    Mixup(name="mixup"),
    Crop(name="crop"),
    Folder(name="folder", path="pool"),
    GaussianNoise(name="gaussian_noise", std=0.5),
)


@pytest.mark.parametrize("inputs", [IMAGES, (IMAGES * 255).byte()], ids=["float", "uint8"])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_every_step_takes_both_kinds_of_images(step: AugmenterStep, inputs: torch.Tensor, tmp_path: Path) -> None:
    (tmp_path / "pool" / "a").mkdir(parents=True)
    Image.new("L", (8, 8), 100).save(tmp_path / "pool" / "a" / "x.png")
    upstream = build_upstream((step,), shape=(1, 8, 8), class_names=("a", "b", "c", "d"), root=tmp_path)
    batch = upstream.epoch(Streams(0), 0)(inputs, LABELS)
    assert batch.inputs.dtype in {torch.uint8, torch.float32}
    assert 0 <= batch.inputs.min() <= batch.inputs.max() <= (255 if batch.inputs.dtype == torch.uint8 else 1)
    assert batch.inputs.float().std() > 0 or step.name == "folder"
    torch.testing.assert_close(batch.soft_labels.sum(1), torch.ones(16))
    assert torch.equal(batch.sample_weights, torch.ones(16))


ROW_STEPS = (
    CellCutMix(name="cell_cutmix"),
    ColumnCutMix(name="column_cutmix", probability=1.0),
    EmbeddingMixup(name="embedding_mixup"),
)


@pytest.mark.parametrize("step", ROW_STEPS, ids=lambda step: step.name)
def test_a_step_of_tables_takes_categories_and_refuses_images(step: AugmenterStep) -> None:
    names, rows = ("a", "b", "c", "d"), torch.cat([torch.randn(16, 2), torch.randint(3, (16, 1)).float()], dim=1)
    upstream = build_upstream((step,), shape=(3,), levels=(3,), class_names=names, root=Path())
    batch = upstream.epoch(Streams(0), 0)(rows, LABELS)
    assert batch.inputs.shape == (16, 7 if step.name == "embedding_mixup" else 3)
    assert torch.equal(batch.inputs[:, 2], batch.inputs[:, 2].round())
    with pytest.raises(RecipeError, match=f"^augmenter: {step.name} takes rows of a table, and the data are images"):
        build(step)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (STEPS[3], "mixup takes quantities, and 1 of the 3 columns are categorical, .*; use embedding_mixup$"),
        (STEPS[6], "gaussian_noise takes quantities, .*; use cell_cutmix or column_cutmix$"),
        (STEPS[0], "rotation takes images, and the data are vectors; cell_cutmix"),
    ],
)
def test_a_step_that_cannot_take_categories_names_one_that_can(step: AugmenterStep, message: str) -> None:
    with pytest.raises(RecipeError, match=f"^augmenter: {message}"):
        build_upstream((step,), shape=(3,), levels=(4,), class_names=("a", "b"), root=Path())


def test_the_pool_comes_first_and_is_the_recipes(tmp_path: Path) -> None:
    step, drawn = PoolSamples(name="pool"), PoolDraw(IMAGES.flip(0), LABELS, LABELS)
    with pytest.raises(RecipeError, match=r"^augmenter: pool draws from the recipe's pool, and there is none; add "):
        build(step)
    with pytest.raises(RecipeError, match=r"^augmenter: pool takes the place .* rotation did .*; put pool first$"):
        build(ROTATION, step)
    names = ("a", "b", "c", "d")
    both = build_upstream((step, ROTATION), shape=(1, 8, 8), class_names=names, root=tmp_path, pool=drawn)
    alone = build_upstream((step,), shape=(1, 8, 8), class_names=names, root=tmp_path, pool=drawn)
    rotated, plain = (augmented(upstream) for upstream in (both, alone))
    assert torch.equal(rotated.soft_labels, plain.soft_labels)
    assert not torch.equal(rotated.inputs, plain.inputs)


def test_rows_are_paired_last() -> None:
    def of_rows(*steps: AugmenterStep) -> Upstream:
        return build_upstream(steps, shape=(3,), levels=(3,), class_names=("a", "b"), root=Path())

    cells, _, pairs = ROW_STEPS
    of_rows(cells, pairs, CORRUPTION)
    with pytest.raises(RecipeError, match=r"^augmenter: cell_cutmix comes after embedding_mixup, .*put .* last$"):
        of_rows(pairs, cells)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_step_takes_vectors_or_says_that_it_cannot(step: AugmenterStep) -> None:
    names = ("a", "b", "c", "d")
    if step.name in {"corrupt_labels", "mixup", "gaussian_noise"}:
        upstream = build_upstream((step,), shape=(2,), class_names=names, root=Path())
        assert upstream.epoch(Streams(0), 0)(torch.randn(16, 2), LABELS).inputs.shape == (16, 2)
    else:
        with pytest.raises(RecipeError, match=f"^augmenter: {step.name} takes images, and the data are vectors"):
            build_upstream((step,), shape=(2,), class_names=names, root=Path())


@pytest.mark.parametrize("step", [*STEPS, *ROW_STEPS, ColumnCutMix(name="column_cutmix", probability=0.0)], ids=str)
def test_mixed_and_foreign_samples_have_no_true_class(step: AugmenterStep, tmp_path: Path) -> None:
    """Whatever comes after: corrupted labels of a mixed sample must not make one up."""
    (tmp_path / "pool" / "a").mkdir(parents=True)
    Image.new("L", (8, 8), 100).save(tmp_path / "pool" / "a" / "x.png")
    rows = step.name in {"cell_cutmix", "column_cutmix", "embedding_mixup"}
    shape, inputs = ((3,), torch.rand(16, 3)) if rows else ((1, 8, 8), IMAGES)
    upstream = build_upstream((step, CORRUPTION), shape=shape, class_names=("a", "b", "c", "d"), root=tmp_path)
    true = upstream.epoch(Streams(0), 0)(inputs, LABELS).true_labels
    if step.name in {"mixup", "column_cutmix", "embedding_mixup", "folder"}:
        assert true is None
    else:
        assert true is not None
        assert torch.equal(true, LABELS)


def test_labels_are_made_wrong_by_two_steps_alone(tmp_path: Path) -> None:
    (tmp_path / "pool" / "a").mkdir(parents=True)
    Image.new("L", (8, 8), 100).save(tmp_path / "pool" / "a" / "x.png")
    drawn = PoolDraw(IMAGES, LABELS, LABELS)
    for step in (*STEPS, PoolSamples(name="pool")):
        built = build_upstream((step,), shape=(1, 8, 8), class_names=("a", "b"), root=tmp_path, pool=drawn)
        assert built.noisy == (step.name in {"corrupt_labels", "pool"})


def test_a_function_may_return_classes_soft_labels_or_a_batch() -> None:
    soft = torch.full((16, 4), 0.25)

    def classes(x: torch.Tensor, y: torch.Tensor, g: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        return x + torch.rand(x.shape, generator=g), y

    def batch(x: torch.Tensor, _y: torch.Tensor, _g: torch.Generator) -> AugmentedBatch:
        return AugmentedBatch(x, soft, torch.full((16,), 0.5))

    assert torch.equal(augmented(upstream_from_function(classes, 4)).soft_labels.argmax(1), LABELS)
    assert torch.equal(
        augmented(upstream_from_function(classes, 4)).inputs, augmented(upstream_from_function(classes, 4)).inputs
    )
    assert torch.equal(augmented(upstream_from_function(lambda x, _y, _g: (x, soft), 4)).soft_labels, soft)
    assert augmented(upstream_from_function(batch, 4)).sample_weights.tolist() == [0.5] * 16


def test_a_function_of_uint8_images_gets_labels_and_weights_in_floats() -> None:
    upstream = upstream_from_function(lambda x, y, _g: (255 - x, y), 4)
    batch = upstream.epoch(Streams(0), 0)((IMAGES * 255).byte(), LABELS)
    assert (batch.inputs.dtype, batch.soft_labels.dtype, batch.sample_weights.dtype) == (
        torch.uint8,
        torch.float32,
        torch.float32,
    )


WRONG = {
    "nothing": (lambda _x, _y, _g: None, "returned NoneType; return"),
    "one tensor": (lambda x, _y, _g: x, "returned Tensor; return"),
    "a list of labels": (lambda x, y, _g: (x, y.tolist()), "returned tuple; return"),
    "a class too many": (lambda x, y, _g: (x, y + 4), "outside 0…3"),
    "fewer labels": (lambda x, y, _g: (x, y[:8]), r"labels \(8,\); expected whole numbers \(16,\)"),
    "other classes": (lambda x, _y, _g: (x, torch.ones(16, 7) / 7), r"probabilities \(16, 4\)"),
    "no probabilities": (lambda x, _y, _g: (x, torch.full((16, 4), 5.0)), "not probabilities"),
    "fewer samples": (lambda x, y, _g: (x[:8], y), r"inputs of shape \(8, 1, 8, 8\) for \(16, 1, 8, 8\)"),
    "negative weights": (
        lambda x, _y, _g: AugmentedBatch(x, torch.full((16, 4), 0.25), torch.full((16,), -3.0)),
        "weights that are not",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_function_that_returns_the_wrong_thing_is_told(name: str) -> None:
    function, message = WRONG[name]
    with pytest.raises(DataError, match=message):
        augmented(upstream_from_function(function, 4))


def test_a_function_may_change_its_arguments() -> None:
    before = IMAGES.clone()
    augmented(upstream_from_function(lambda x, y, _g: (x.mul_(0).add_(7), y), 4))
    assert torch.equal(before, IMAGES)


def test_the_randaugment_of_wilds_is_built_from_its_own_name() -> None:
    step = WildsRandAugment(name="randaugment_wilds", num_ops=1)
    upstream = build_upstream((step,), shape=(1, 8, 8), class_names=tuple("abcd"), root=Path())
    batch = upstream.epoch(Streams(0), 0)(IMAGES, LABELS)
    assert (batch.inputs.dtype, batch.inputs.shape) == (torch.uint8, IMAGES.shape)
    with pytest.raises(RecipeError, match="randaugment_wilds takes images, and the data are vectors"):
        build_upstream((step,), shape=(8,), class_names=tuple("abcd"), root=Path())
