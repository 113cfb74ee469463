"""The loop sees every sample once an epoch, follows the schedule, selects on validation, and refuses a broken loss."""

import dataclasses
from itertools import chain, islice
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from saflex_cli.config.schema import Adam, AdamW, Selection, Sgd
from saflex_cli.data.splits import Split
from saflex_cli.errors import CheckpointError, DataError, TrainingError
from saflex_cli.experiment.parts import build_parts
from saflex_cli.train.checkpoint import read_checkpoint, write_checkpoint
from saflex_cli.train.loop import batches, better, full_batches
from saflex_cli.train.optimizer import build_optimizer, set_learning_rate
from saflex_cli.train.step import StepResult
from saflex_cli.train.steps import PlainStep
from tests.recipes import make_recipe


def seen(size: int, batch: int) -> list[list[int]]:
    split = Split(torch.arange(float(size)), torch.arange(size))
    return [labels.tolist() for _, labels, _ in batches(split, batch, torch.Generator().manual_seed(0))]


def test_every_sample_once() -> None:
    assert sorted(chain.from_iterable(seen(10, 4))) == list(range(10))
    assert [len(batch) for batch in seen(10, 4)] == [4, 4, 2]


def test_batches_say_which_samples_they_hold() -> None:
    split = Split(torch.arange(10.0) * 3, torch.arange(10) % 4)
    for inputs, labels, indices in batches(split, 4, torch.Generator().manual_seed(0)):
        assert torch.equal(inputs, split.inputs[indices])
        assert torch.equal(labels, split.labels[indices])


def test_a_last_batch_of_one_is_left_out() -> None:
    assert [len(batch) for batch in seen(9, 4)] == [4, 4]


@given(samples=st.integers(2, 40), batch=st.integers(2, 50), count=st.integers(1, 12))
def test_full_batches_are_of_one_size_and_every_pass_takes_each_sample_once_at_most(
    samples: int, batch: int, count: int
) -> None:
    split, size = Split(torch.arange(float(samples)), torch.arange(samples)), min(batch, samples)
    generator = torch.Generator().manual_seed(0)
    drawn = [places.tolist() for _, _, places in islice(full_batches(split, batch, generator), count)]
    assert [len(places) for places in drawn] == [size] * count
    per_pass = samples // size
    for start in range(0, count, per_pass):
        seen_once = list(chain.from_iterable(drawn[start : start + per_pass]))
        assert len(set(seen_once)) == len(seen_once)
    plain = [places.tolist() for _, _, places in batches(split, batch, torch.Generator().manual_seed(0))]
    assert drawn[:per_pass] == plain[: min(per_pass, count)], "the first pass has another order than an epoch has"


def test_a_single_sample_makes_no_full_batch() -> None:
    with pytest.raises(DataError, match="a batch needs two samples, and there are 1"):
        next(full_batches(Split(torch.zeros(1), torch.zeros(1).long()), 4, torch.Generator()))


@pytest.mark.parametrize("label", ["no_aug", "no_aug_trainval", pytest.param("lp_a3", marks=pytest.mark.slow)])
@pytest.mark.parametrize("batch_size", [32, 1000])
def test_an_epoch_of_so_many_updates(tmp_path: Path, label: str, batch_size: int) -> None:
    """On 100 or 160 samples, with batches of 32 or of all of them."""
    methods = [{"name": "no_aug"}, {"name": "no_aug", "train_on": ["train", "val"]}, {"name": "lp_a3"}]
    train = {"epochs": 2, "batch_size": batch_size, "updates_per_epoch": 7}
    parts = build_parts(make_recipe(tmp_path, methods=methods, train=train), label, 0, None)
    cpu = torch.device("cpu")
    fit = parts.fit(parts.model(cpu), cpu, tmp_path / "resume.safetensors")
    state = fit.run(lambda _: None)
    assert state.steps == 14
    sizes = [len(labels) for _, labels, _ in fit.batches(0)]
    assert sizes == [min(batch_size, 160 if "trainval" in label else 100)] * 7


@pytest.mark.parametrize(("kind", "name"), [(Adam, "adam"), (AdamW, "adamw"), (Sgd, "sgd")])
def test_schedule(kind: type[Adam | AdamW | Sgd], name: str) -> None:
    config = kind(name=name, lr=1.0, milestones=(2, 3), gamma=0.1)
    optimizer = build_optimizer(config, nn.Linear(1, 1))
    rates = []
    for epoch in range(5):
        set_learning_rate(optimizer, config, epoch)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([1, 1, 0.1, 0.01, 0.01])


@pytest.mark.parametrize(("kind", "name"), [(Adam, "adam"), (AdamW, "adamw")])
def test_fused_is_the_same_update(kind: type[Adam | AdamW], name: str) -> None:
    weights = []
    for fused in (False, True):
        torch.manual_seed(0)
        model = nn.Linear(3, 2).double()
        optimizer = build_optimizer(kind(name=name, lr=0.1, weight_decay=0.5, fused=fused), model)  # type: ignore[arg-type]
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.ones(4, 3).double()).square().sum().backward()
            optimizer.step()
        weights.append(model.weight.detach().clone())
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-12, atol=1e-12)


def test_adamw_decays_weights_beside_the_gradient() -> None:
    """Without a gradient the weights shrink by lr × weight_decay of themselves; Adam's own decay steps by lr."""
    for config, expected in (
        (AdamW(name="adamw", lr=0.1, weight_decay=0.5), 2 * (1 - 0.05)),
        (Adam(name="adam", lr=0.1, weight_decay=0.5), 2 - 0.1),
    ):
        model = nn.Linear(1, 1, bias=False)
        nn.init.constant_(model.weight, 2.0)
        model.weight.grad = torch.zeros(1, 1)
        build_optimizer(config, model).step()
        assert model.weight.item() == pytest.approx(expected)


def test_frozen_parameters_are_not_optimised() -> None:
    model = nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    optimizer = build_optimizer(Adam(name="adam"), model)
    assert [len(group["params"]) for group in optimizer.param_groups] == [1]


def test_the_first_of_equal_epochs_is_kept() -> None:
    assert not better(0.5, 0.5, Selection(metric="accuracy"))
    assert better(0.6, 0.5, Selection(metric="auroc"))
    assert better(0.4, 0.5, Selection(metric="loss"))


def test_a_loss_that_is_not_finite_stops_the_run_and_leaves_no_checkpoint(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, optimizer={"name": "sgd", "lr": 1e30})
    parts = build_parts(recipe, "upstream", 0, None)
    cpu = torch.device("cpu")
    with pytest.raises(TrainingError, match=r"the loss is (nan|inf) in epoch 1.*lower optimizer\.lr") as caught:
        parts.fit(parts.model(cpu), cpu, tmp_path / "resume.safetensors").run(lambda _: None)
    assert caught.value.__notes__ == ["recipe tests/digits, method upstream, seed 0"]
    assert not (tmp_path / "resume.safetensors").exists()


def test_a_truncated_checkpoint_stops_the_run_with_advice(tmp_path: Path) -> None:
    parts = build_parts(make_recipe(tmp_path), "no_aug", 0, None)
    cpu, path = torch.device("cpu"), tmp_path / "resume.safetensors"
    parts.fit(parts.model(cpu), cpu, path).run(lambda _: None)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="delete it, or train again with --force"):
        parts.fit(parts.model(cpu), cpu, path).run(lambda _: None)


def test_a_checkpoint_of_another_version_stops_the_run_with_advice(tmp_path: Path) -> None:
    parts = build_parts(make_recipe(tmp_path), "no_aug", 0, None)
    cpu, path = torch.device("cpu"), tmp_path / "resume.safetensors"
    parts.fit(parts.model(cpu), cpu, path).run(lambda _: None)
    saved = read_checkpoint(path)
    saved.facts["state"]["momentum_of_everything"] = 3
    write_checkpoint(path, saved)
    with pytest.raises(CheckpointError, match="does not fit this version"):
        parts.fit(parts.model(cpu), cpu, path).run(lambda _: None)


def test_a_checkpoint_without_the_steps_memory_stops_the_run_with_advice(tmp_path: Path) -> None:
    parts = build_parts(make_recipe(tmp_path, methods=[{"name": "lp_a3"}]), "lp_a3", 0, None)
    cpu, path = torch.device("cpu"), tmp_path / "resume.safetensors"
    parts.fit(parts.model(cpu), cpu, path).run(lambda _: None)
    saved = read_checkpoint(path)
    del saved.groups["step"]["log_probs"]
    write_checkpoint(path, saved)
    with pytest.raises(CheckpointError, match="does not fit this version"):
        parts.fit(parts.model(cpu), cpu, path).run(lambda _: None)


def test_the_order_of_batches_changes_with_the_epoch(tmp_path: Path) -> None:
    parts = build_parts(make_recipe(tmp_path), "no_aug", 0, None)
    cpu = torch.device("cpu")
    fit = parts.fit(parts.model(cpu), cpu, tmp_path / "resume.safetensors")
    seen: list[list[int]] = []

    class Spy(PlainStep):
        def __call__(self, inputs: torch.Tensor, labels: torch.Tensor, indices: torch.Tensor) -> StepResult:
            seen.append(labels.tolist())
            return super().__call__(inputs, labels, indices)

    dataclasses.replace(fit, step=Spy(fit.model)).run(lambda _: None)
    assert seen[0] != seen[4]
    assert sorted(chain.from_iterable(seen[:4])) == sorted(chain.from_iterable(seen[4:8]))


def test_selection_keeps_the_weights_of_the_best_epoch(tmp_path: Path) -> None:
    parts = build_parts(make_recipe(tmp_path, train={"epochs": 5, "batch_size": 32}), "upstream", 0, None)
    cpu = torch.device("cpu")
    fit = parts.fit(parts.model(cpu), cpu, tmp_path / "resume.safetensors")
    snapshots: list[dict[str, torch.Tensor]] = []
    state = fit.run(lambda _: snapshots.append({k: v.clone() for k, v in fit.model.state_dict().items()}))
    values = [row["val_accuracy"] for row in state.curve]
    assert state.best_value == max(values)
    assert state.best_epoch == values.index(max(values)) + 1
    best = snapshots[state.best_epoch - 1]
    assert all(torch.equal(best[name], tensor) for name, tensor in state.best.items())
