"""The loop by hand trains the same weights as the program's."""

from pathlib import Path
from typing import Any

import pytest
import torch

from saflex_cli.experiment.costs.overhead import plain_augment
from saflex_cli.experiment.parts import Parts, build_parts
from saflex_cli.experiment.plain_loop import plain_batches, plain_run, plain_step
from saflex_cli.seeding import Streams
from saflex_cli.train.loop import Fit
from saflex_cli.train.optimizer import build_optimizer
from tests.recipes import make_recipe

CPU = torch.device("cpu")
CASES: list[dict[str, Any]] = [
    {"model": {"name": "small_cnn", "width": 4}},
    {"model": {"name": "mlp", "hidden": [8]}, "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9}},
    {"model": {"name": "mlp", "hidden": [8]}, "augmenter": {"name": "soft_crop"}},
]


def made(folder: Path, changes: dict[str, Any]) -> tuple[Parts, Fit]:
    parts = build_parts(make_recipe(folder, **changes), "upstream", 0, None)
    return parts, parts.fit(parts.model(CPU), CPU, folder / "checkpoint")


@pytest.mark.parametrize("changes", CASES)
def test_the_same_weights_after_some_steps(tmp_path: Path, changes: dict[str, Any]) -> None:
    parts, fit = made(tmp_path, changes)
    fit.step.begin_epoch(0)
    model = parts.model(CPU)
    optimizer = build_optimizer(fit.recipe.optimizer, model)
    augment = plain_augment(parts, 0)
    data = (parts.splits.train.inputs, parts.splits.train.labels)
    plain = plain_batches(data, 32, Streams(0).generator("order", 0))
    for batch, (inputs, labels) in zip(fit.batches(0), plain, strict=True):
        result = fit.train_batch(*batch)
        torch.testing.assert_close(plain_step(model, optimizer, augment, inputs, labels), result.loss.detach())
    for ours, theirs in zip(fit.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("changes", CASES)
def test_the_same_selected_weights_after_a_run(tmp_path: Path, changes: dict[str, Any]) -> None:
    parts, fit = made(tmp_path, changes | {"selection": {"metric": "auroc"}})
    best = fit.run(lambda _: None).best
    model = parts.model(CPU)
    splits, streams = parts.splits, Streams(0)
    kept = plain_run(
        model,
        build_optimizer(fit.recipe.optimizer, model),
        (splits.train.inputs, splits.train.labels),
        (splits.val.inputs, splits.val.labels),
        epochs=3,
        batch_size=32,
        order=lambda epoch: streams.generator("order", epoch),
        augment=lambda epoch: plain_augment(parts, epoch),
    )
    assert kept.keys() == best.keys()
    for name, value in kept.items():
        torch.testing.assert_close(value, best[name], rtol=1e-3, atol=1e-4)
