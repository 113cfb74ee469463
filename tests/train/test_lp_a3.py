"""LP-A3's step: far images of nearly equal label, chosen by consistency, with BatchNorm statistics of their own."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional

from saflex_cli.core.passes import copied_buffers
from saflex_cli.experiment.parts import Parts, build_parts
from saflex_cli.models.features import captured_outputs, feature_layers
from saflex_cli.seeding import Streams
from saflex_cli.train.consistency import most_consistent
from saflex_cli.train.lp_a3 import LpA3Step
from saflex_cli.train.optimizer import build_optimizer
from saflex_cli.train.perturbation import flat_features, perturb
from saflex_cli.train.steps import build_step
from tests.recipes import make_recipe

CPU = torch.device("cpu")


def step_of(tmp_path: Path, **method: Any) -> tuple[LpA3Step, Parts]:
    model = {"name": "small_cnn", "width": 4, "dropout": method.pop("dropout", 0.0)}
    recipe = make_recipe(tmp_path, methods=[{"name": "lp_a3"} | method], model=model, augmenter=None)
    parts = build_parts(recipe, "lp_a3", 0, None)
    net = parts.model(CPU)
    step = build_step(
        parts.method,
        model=net,
        splits=parts.splits,
        upstream=parts.upstream,
        epochs=2,
        batch_size=32,
        streams=Streams(0),
        optimizer=build_optimizer(recipe.optimizer, net),
    )
    assert isinstance(step, LpA3Step)
    return step, parts


def batch(parts: Parts, size: int = 32) -> tuple[Tensor, Tensor, Tensor]:
    return parts.splits.train.inputs[:size], parts.splits.train.labels[:size], torch.arange(size)


def perturbed(step: LpA3Step, inputs: Tensor, labels: Tensor) -> Tensor:
    return perturb(inputs, step._probe(labels), step.search, Streams(0).generator("lp_a3", 0))


def test_the_loss_is_the_mean_of_clean_and_perturbed(tmp_path: Path) -> None:
    step, parts = step_of(tmp_path)
    inputs, labels, indices = batch(parts)
    images = perturbed(step, inputs, labels)
    clean, moved = (functional.cross_entropy(step.model(x), labels) for x in (inputs, images))
    torch.testing.assert_close(step(inputs, labels, indices).loss, (clean + moved) / 2)


def test_uint8_images_are_perturbed_as_intensities(tmp_path: Path) -> None:
    step, parts = step_of(tmp_path)
    inputs, labels, indices = batch(parts)
    raw = (inputs * 255).round().byte()
    loss = step(raw, labels, indices).loss
    step.begin_epoch(0)
    torch.testing.assert_close(step(raw / 255, labels, indices).loss, loss)


def test_a_trained_net_gets_far_images_of_nearly_equal_label(tmp_path: Path) -> None:
    """Against noise of the same start: many times the feature distance, at a median log-probability near the bound."""
    recipe = make_recipe(tmp_path, train={"epochs": 20, "batch_size": 32}, model={"name": "small_cnn", "width": 16})
    parts = build_parts(recipe, "no_aug", 0, None)
    model = parts.model(CPU)
    parts.fit(model, CPU, tmp_path / "resume.safetensors").run(lambda _: None)
    model.train()
    step, _ = step_of(tmp_path)
    step.model, step.layers = model, feature_layers(model)
    inputs, labels, _ = batch(parts, 100)
    images = perturbed(step, inputs, labels)
    noise = inputs + (torch.rand(inputs.shape) * 2 - 1) * 0.01
    probe = step._probe(labels)
    with torch.no_grad():
        clean, far, near = probe(inputs), probe(images), probe(noise)
    distances = [
        (flat_features(seen.features) - flat_features(clean.features)).norm(dim=1).median() for seen in (far, near)
    ]
    drop = (clean.log_prob - far.log_prob).median()
    assert clean.log_prob.exp().mean() > 0.8
    assert distances[0] > 4 * distances[1]
    assert -0.02 < drop < 0.1  # bound 0.02
    assert ((images >= 0) & (images <= 1)).all()


def test_a_larger_bound_moves_further(tmp_path: Path) -> None:
    def distance(bound: float) -> float:
        step, parts = step_of(tmp_path, bound=bound)
        inputs, labels, _ = batch(parts)
        return (perturbed(step, inputs, labels) - inputs).flatten(1).norm(dim=1).mean().item()

    assert distance(0.001) < distance(0.01) < distance(0.1)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_models_own_statistics_see_clean_samples_alone(tmp_path: Path, dropout: float) -> None:
    step, parts = step_of(tmp_path, dropout=dropout)
    inputs, labels, indices = batch(parts)
    twin = copy.deepcopy(step.model)
    start = copied_buffers(step.model)
    for _ in range(2):
        step(inputs, labels, indices)
        twin(inputs)
    own, clean = copied_buffers(step.model), copied_buffers(twin)
    assert all(torch.equal(own[name], clean[name]) for name in clean)
    moved = [name for name in start if not torch.equal(start[name], step.buffers[name])]
    assert moved == list(start)
    assert all(not torch.equal(step.buffers[name], own[name]) for name in own if "num_batches" not in name)
    assert {int(step.buffers[name]) for name in own if "num_batches" in name} == {2}


def test_the_search_leaves_no_trace(tmp_path: Path) -> None:
    step, parts = step_of(tmp_path, dropout=0.5)
    inputs, labels, _ = batch(parts)
    buffers, state = copied_buffers(step.model), torch.get_rng_state()
    perturbed(step, inputs, labels)
    assert all(torch.equal(tensor, buffers[name]) for name, tensor in step.model.named_buffers())
    assert torch.equal(state, torch.get_rng_state())
    assert all(parameter.grad is None for parameter in step.model.parameters())
    assert step.model.training


def test_every_pass_of_the_search_has_the_masks_of_the_training_pass(tmp_path: Path) -> None:
    step, parts = step_of(tmp_path, dropout=0.5)
    inputs, labels, _ = batch(parts)
    probe = step._probe(labels)
    first, second = probe(inputs).log_prob, probe(inputs).log_prob
    assert torch.equal(first, second)
    trained = functional_call(step.model, step.buffers, (inputs,)).log_softmax(1)
    torch.testing.assert_close(trained[torch.arange(32), labels], first)


def test_the_first_epoch_perturbs_all_and_later_ones_the_most_consistent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, parts = step_of(tmp_path, ratio=0.75)
    inputs, labels, indices = batch(parts)
    seen: list[Tensor] = []

    def spy(images: Tensor, *_: Any) -> Tensor:
        seen.append(images)
        return images

    monkeypatch.setattr("saflex_cli.train.lp_a3.perturb", spy)
    step(inputs, labels, indices)
    with torch.no_grad():
        for parameter in step.model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    step.begin_epoch(1)
    step(inputs, labels, indices)
    assert torch.equal(seen[0], inputs)
    kept = most_consistent(step.memory.inconsistency[:32], 0.75)
    assert len(kept) == 24
    assert torch.equal(seen[1], inputs[kept])
    assert step.memory.inconsistency[32:].isnan().all()


def test_a_share_too_small_for_batch_norm_leaves_the_clean_loss(tmp_path: Path) -> None:
    step, parts = step_of(tmp_path, ratio=0.1)
    inputs, labels, indices = batch(parts, 10)
    step.begin_epoch(1)
    torch.testing.assert_close(step(inputs, labels, indices).loss, functional.cross_entropy(step.model(inputs), labels))


def test_another_epoch_has_other_noise(tmp_path: Path) -> None:
    step, parts = step_of(tmp_path, ratio=1.0)
    losses = []
    for epoch in (0, 1, 0):
        step.begin_epoch(epoch)
        losses.append(step(*batch(parts)).loss.item())
    assert losses[0] == losses[2] != losses[1]


def test_what_it_remembers_comes_back(tmp_path: Path) -> None:
    step, parts = step_of(tmp_path)
    step(*batch(parts))
    step(*batch(parts))
    state = {name: tensor.clone() for name, tensor in step.state().items()}
    fresh, _ = step_of(tmp_path)
    fresh.restore(state)
    torch.testing.assert_close(fresh.state(), state, equal_nan=True, rtol=0, atol=0)
    with pytest.raises(KeyError):
        fresh.restore({})
    with pytest.raises(RuntimeError):
        fresh.restore(state | {"log_probs": torch.zeros(3, 10)})


def test_layers_are_those_of_the_model(tmp_path: Path) -> None:
    step, parts = step_of(tmp_path)
    inputs, labels, _ = batch(parts)
    with captured_outputs(step.layers) as features:
        step.model(inputs)
    torch.testing.assert_close(step._probe(labels)(inputs).features, features)
