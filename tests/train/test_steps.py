"""Each method does with a batch what it says, and draws its outer batches as asked."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from saflex_cli.augment.batch import AugmentedBatch
from saflex_cli.config.schema import SaflexMethod
from saflex_cli.core import Saflex
from saflex_cli.data.splits import Split
from saflex_cli.errors import DataError, RecipeError
from saflex_cli.experiment.parts import Parts, build_parts
from saflex_cli.seeding import Streams
from saflex_cli.train.optimizer import build_optimizer
from saflex_cli.train.outer import OuterBatches, outer_size, outer_split
from saflex_cli.train.steps import Step, build_step, train_split
from tests.recipes import make_recipe


def parts_of(tmp_path: Path, method: dict[str, Any], **changes: Any) -> Parts:
    recipe = make_recipe(tmp_path, methods=[method], **changes)
    return build_parts(recipe, recipe.methods[0].label, 0, None)


def step_of(parts: Parts) -> tuple[Step, torch.nn.Module]:
    model = parts.model(torch.device("cpu"))
    step = build_step(
        parts.method,
        model=model,
        splits=parts.splits,
        upstream=parts.upstream,
        epochs=2,
        batch_size=32,
        streams=Streams(0),
        optimizer=build_optimizer(parts.recipe.optimizer, model),
    )
    return step, model


PLAIN_MODEL = {"name": "small_cnn", "width": 4}


def batch(parts: Parts) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return parts.splits.train.inputs[:32], parts.splits.train.labels[:32], torch.arange(32)


def test_no_aug_is_cross_entropy_on_the_clean_batch(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, {"name": "no_aug"}, model=PLAIN_MODEL)
    step, model = step_of(parts)
    inputs, labels, indices = batch(parts)
    torch.testing.assert_close(step(inputs, labels, indices).loss, functional.cross_entropy(model(inputs), labels))


def test_upstream_is_cross_entropy_on_the_augmented_batch(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, {"name": "upstream"}, model=PLAIN_MODEL)
    step, model = step_of(parts)
    inputs, labels, indices = batch(parts)
    assert parts.upstream is not None
    augmented = parts.upstream.epoch(Streams(0), 0)(inputs, labels)
    expected = functional.cross_entropy(model(augmented.inputs), augmented.soft_labels)
    torch.testing.assert_close(step(inputs, labels, indices).loss, expected)


@pytest.mark.parametrize("name", ["upstream", "saflex"])
def test_the_clean_batch_counts_half(tmp_path: Path, name: str) -> None:
    method = {"name": name} | ({"preset": "weights_only"} if name == "saflex" else {})
    alone, model = step_of(parts_of(tmp_path, method, model=PLAIN_MODEL))
    both, _ = step_of(parts_of(tmp_path, method | {"clean_batch": True}, model=PLAIN_MODEL))
    inputs, labels, indices = batch(parts_of(tmp_path, method))
    clean = functional.cross_entropy(model(inputs), labels)
    torch.testing.assert_close(both(inputs, labels, indices).loss, (alone(inputs, labels, indices).loss + clean) / 2)


def test_saflex_is_the_core_on_the_same_batches(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, {"name": "saflex", "preset": "paper"}, model=PLAIN_MODEL)
    step, model = step_of(parts)
    inputs, labels, indices = batch(parts)
    assert parts.upstream is not None
    augmented = parts.upstream.epoch(Streams(0), 0)(inputs, labels)
    chosen = torch.randperm(60, generator=Streams(0).generator("outer", 0))[:32]
    refined = Saflex(preset="paper")(
        model=model,
        inputs=augmented.inputs,
        upstream_labels=augmented.soft_labels,
        outer_inputs=parts.splits.val.inputs[chosen],
        outer_labels=parts.splits.val.labels[chosen],
        generator=Streams(0).generator("gumbel", 0),
    )
    result = step(inputs, labels, indices)
    torch.testing.assert_close(result.loss, refined.loss())
    assert result.weight_sum == refined.sample_weights.sum()
    assert result.changed_labels == refined.label_changed.sum()
    assert result.dropped == 0


def test_warm_up_trains_on_the_upstream_batch(tmp_path: Path) -> None:
    method = {"name": "saflex", "preset": "proximal", "warm_up": 1}
    parts = parts_of(tmp_path, method, model=PLAIN_MODEL)
    step, _ = step_of(parts)
    plain, _ = step_of(parts_of(tmp_path, {"name": "upstream"}, model=PLAIN_MODEL))
    results = []
    for epoch in (0, 1):
        step.begin_epoch(epoch)
        plain.begin_epoch(epoch)
        results.append((step(*batch(parts)), plain(*batch(parts))))
    torch.testing.assert_close(results[0][0].loss, results[0][1].loss)
    assert results[0][0].changed_labels == 0
    assert results[1][0].loss != results[1][1].loss


def test_the_running_outer_gradient_outlives_the_epoch_and_is_in_the_state(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, {"name": "saflex", "preset": "proximal", "outer_momentum": 0.9}, model=PLAIN_MODEL)
    step, _ = step_of(parts)
    step(*batch(parts))
    state = {name: tensor.clone() for name, tensor in step.state().items()}
    assert set(state) == {"weight", "bias"}
    step.begin_epoch(1)
    assert all(torch.equal(step.state()[name], state[name]) for name in state)
    other, _ = step_of(parts)
    other.restore(state)
    other.begin_epoch(1)
    torch.testing.assert_close(other(*batch(parts)).loss, step(*batch(parts)).loss)


@pytest.mark.parametrize(
    ("asked", "size"), [("auto", 32), ("all", 60), (7, 7), (60, 60)], ids=["auto", "all", "7", "whole set"]
)
def test_outer_sizes(tmp_path: Path, asked: int | str, size: int) -> None:
    parts = parts_of(tmp_path, {"name": "saflex", "preset": "paper", "outer_batch_size": asked})
    assert isinstance(parts.method, SaflexMethod)
    assert outer_size(parts.method, parts.splits, batch_size=32) == size


def test_auto_is_the_whole_set_where_it_is_smaller_than_a_batch(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, {"name": "saflex", "preset": "paper"})
    assert isinstance(parts.method, SaflexMethod)
    assert outer_size(parts.method, parts.splits, batch_size=512) == 60


def test_an_outer_batch_larger_than_its_set_is_refused(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, {"name": "saflex", "preset": "paper", "outer_batch_size": 61})
    assert isinstance(parts.method, SaflexMethod)
    with pytest.raises(DataError, match=r"outer_batch_size is 61, but its outer set \(val\) has 60"):
        outer_size(parts.method, parts.splits, batch_size=32)


@pytest.mark.parametrize(("outer", "size"), [("val", 60), ("train", 100), ("train+val", 160), ("fold", 20)])
def test_outer_sets(tmp_path: Path, outer: str, size: int) -> None:
    parts = parts_of(tmp_path, {"name": "saflex", "preset": "paper", "outer": outer})
    assert isinstance(parts.method, SaflexMethod)
    assert len(outer_split(parts.method, parts.splits)) == size


def test_the_clean_batch_as_the_outer_batch(tmp_path: Path) -> None:
    """As SAFLEX whose outer set is exactly the clean samples of the batch, by hand; no outer batch is drawn."""
    parts = parts_of(tmp_path, {"name": "saflex", "preset": "proximal", "outer": "batch"}, model=PLAIN_MODEL)
    assert isinstance(parts.method, SaflexMethod)
    assert outer_size(parts.method, parts.splits, batch_size=32) == 32
    step, _ = step_of(parts)
    by_hand, _ = step_of(parts_of(tmp_path, {"name": "saflex", "preset": "proximal"}, model=PLAIN_MODEL))
    inputs, labels, indices = batch(parts)
    by_hand.outer.split = Split(inputs, labels)
    by_hand.outer.size = len(labels)
    torch.testing.assert_close(step(inputs, labels, indices).loss, by_hand(inputs, labels, indices).loss)


def test_training_on_train_and_val(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, {"name": "upstream", "train_on": ["train", "val"]})
    assert len(train_split(parts.method, parts.splits)) == 160


def test_a_method_without_augmentation_is_told(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, {"name": "upstream"}, augmenter=None)
    with pytest.raises(RecipeError, match="method upstream needs an augmentation"):
        step_of(parts)


def test_outer_batches_repeat_with_the_epoch_and_hold_no_sample_twice() -> None:
    split = Split(torch.arange(20.0)[:, None], torch.arange(20))
    outer = OuterBatches(split, 15, Streams(0))
    first, second = outer.draw().labels, outer.draw().labels
    outer.begin_epoch(0)
    assert torch.equal(outer.draw().labels, first)
    assert not torch.equal(first, second)
    assert len(first.unique()) == 15
    assert OuterBatches(split, 20, Streams(0)).draw() is split


def test_a_batch_that_nobody_looks_at_moves_no_later_one(tmp_path: Path) -> None:
    """With `outer_every` the rows of an outer batch are taken in some steps only, its random numbers in all."""
    method = {"name": "saflex", "preset": "proximal", "outer_every": 2, "outer_batch_size": 7}
    parts = parts_of(tmp_path, method, model=PLAIN_MODEL)
    step, _ = step_of(parts)
    for _ in range(3):
        step(*batch(parts))
    by_hand = OuterBatches(parts.splits.val, 7, Streams(0))
    drawn = [by_hand.draw().labels for _ in range(4)]
    assert torch.equal(step.outer.draw(parts.splits.train).labels, drawn[3])


def test_upstream_weights_count(tmp_path: Path) -> None:
    """Samples that the upstream gives weight 0 add nothing to the loss, with and without SAFLEX."""

    def half(x: torch.Tensor, y: torch.Tensor, _g: torch.Generator) -> AugmentedBatch:
        weights = (torch.arange(len(x)) % 2).float()
        return AugmentedBatch(x, functional.one_hot(y, 10).float(), weights)

    for method in ({"name": "upstream"}, {"name": "saflex", "preset": "bootstrap", "label_retention": 100.0}):
        recipe = make_recipe(tmp_path, methods=[method], model=PLAIN_MODEL)
        parts = build_parts(recipe, recipe.methods[0].label, 0, None, half)
        step, model = step_of(parts)
        inputs, labels, indices = batch(parts)
        losses = functional.cross_entropy(model(inputs), labels, reduction="none")
        torch.testing.assert_close(step(inputs, labels, indices).loss, losses[1::2].mean())


def test_an_epoch_forgets_the_outer_gradient(tmp_path: Path) -> None:
    """A run that resumes at an epoch's beginning has none to remember."""
    parts = parts_of(tmp_path, {"name": "saflex", "preset": "paper", "outer_every": 100}, model=PLAIN_MODEL)
    step, model = step_of(parts)
    inputs, labels, indices = batch(parts)
    first = step(inputs, labels, indices)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    step.begin_epoch(0)
    again = step(inputs, labels, indices)
    fresh, _ = step_of(parts)
    fresh.model.load_state_dict(model.state_dict())
    torch.testing.assert_close(again.loss, fresh(inputs, labels, indices).loss)
    assert first.loss != again.loss
