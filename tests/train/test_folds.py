"""In every epoch one fold is trusted and the others are trained on; in five epochs every sample is trusted once."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from saflex_cli.config.schema import SaflexMethod
from saflex_cli.data.splits import Split
from saflex_cli.experiment.parts import build_parts
from saflex_cli.seeding import Streams
from saflex_cli.train.folds import FOLDS, Folds
from saflex_cli.train.steps import SaflexStep, WithCleanBatch
from tests.recipes import make_recipe


def numbered(samples: int) -> Split:
    return Split(torch.arange(float(samples))[:, None], torch.arange(samples))


@given(samples=st.integers(FOLDS, 60), seed=st.integers(0, 5), epoch=st.integers(0, 20))
def test_an_epoch_parts_the_samples_in_two(samples: int, seed: int, epoch: int) -> None:
    folds = Folds(numbered(samples), Streams(seed))
    trusted, trained = folds.trusted(epoch), folds.trained(epoch)
    assert sorted([*trusted.labels.tolist(), *trained.labels.tolist()]) == list(range(samples))
    assert len(trusted) in {samples // FOLDS, samples // FOLDS + 1}
    for part in (trusted, trained):
        assert torch.equal(part.inputs[:, 0].long(), part.labels)
    assert torch.equal(folds.trusted(epoch + FOLDS).labels, trusted.labels)


def test_every_sample_is_trusted_once_in_five_epochs_and_seeds_differ() -> None:
    orders = []
    for seed in (0, 1):
        folds = Folds(numbered(23), Streams(seed))
        orders.append([label for epoch in range(FOLDS) for label in folds.trusted(epoch).labels.tolist()])
        assert sorted(orders[-1]) == list(range(23))
    assert orders[0] != orders[1]


@pytest.mark.parametrize("train_on", [["train"], ["train", "val"]])
@pytest.mark.parametrize("clean_batch", [False, True])
def test_a_run_trusts_what_it_does_not_train_on(tmp_path: Path, train_on: list[str], clean_batch: bool) -> None:
    method = {"name": "saflex", "preset": "proximal", "outer": "fold", "train_on": train_on, "clean_batch": clean_batch}
    recipe = make_recipe(tmp_path, methods=[method])
    parts = build_parts(recipe, recipe.methods[0].label, 0, None)
    assert isinstance(parts.method, SaflexMethod)
    device = torch.device("cpu")
    fit = parts.fit(parts.model(device), device, tmp_path / "checkpoint")
    step = fit.step.step if isinstance(fit.step, WithCleanBatch) else fit.step
    assert isinstance(step, SaflexStep)
    for epoch in range(FOLDS + 1):
        fit.step.begin_epoch(epoch)
        trained = torch.cat([inputs for inputs, _, _ in fit.batches(epoch)]).flatten(1)
        trusted = step.outer.draw(Split(*next(fit.batches(epoch))[:2])).inputs.flatten(1)
        total = len(fit.train)
        assert len(trusted) in {total // FOLDS, total // FOLDS + 1}, "the preset trusts the whole fold"
        assert len(trained) >= total - len(trusted) - 1, "a last batch of one sample is left out"
        # Images of digits are all different.
        assert not (trained[:, None] == trusted[None]).all(2).any()
