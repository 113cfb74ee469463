"""Statistics of clean data: as a slow twin computes them, for the length of an evaluation, and nothing else changes."""

from contextlib import nullcontext
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from saflex_cli.data.splits import Split
from saflex_cli.errors import RecipeError
from saflex_cli.experiment import Places, check, checkpoint_path, evaluate_checkpoint, run, run_one
from saflex_cli.train.batch_norm import batch_norms, reestimated
from saflex_cli.train.checkpoint import read_checkpoint
from tests.recipes import make_recipe

METHODS: list[dict[str, Any]] = [
    {"name": "upstream"},
    {"name": "upstream", "reestimate_batch_norm": True},
    {"name": "upstream", "reestimate_batch_norm": True, "clean_batch": True, "train_on": ["train", "val"]},
]


def net(dropout: float = 0.5) -> nn.Sequential:
    """Two BatchNorms with a dropout between them, which have seen data of another kind; the first is frozen."""
    torch.manual_seed(0)
    first, second = nn.BatchNorm1d(4), nn.BatchNorm1d(5, momentum=0.3)
    built = nn.Sequential(nn.Linear(3, 4), first, nn.ReLU(), nn.Dropout(dropout), nn.Linear(4, 5), second).double()
    for _ in range(3):
        built(torch.randn(8, 3).double() + 2)
    first.eval()
    return built


def clean(count: int) -> Split:
    return Split(torch.randn(count, 3, generator=torch.Generator().manual_seed(1)).double(), torch.arange(count) % 2)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


@pytest.mark.parametrize("count", [24, 20, 17], ids=["full batches", "a smaller last one", "a last one of one"])
def test_statistics_are_the_mean_over_clean_batches(count: int) -> None:
    """Slow twin: every layer by hand, without dropout, normalised by the batch."""
    model, split = net(), clean(count)
    first, second = batch_norms(model)
    sums: list[list[torch.Tensor]] = [[], [], [], []]
    with torch.no_grad():
        for chosen in torch.randperm(count, generator=generator()).split(8):
            if len(chosen) == 1:
                continue
            before = model[0](split.inputs[chosen])
            mean, deviation = before.mean(0), (before.var(0, unbiased=False) + first.eps).sqrt()
            after = model[4]((first.weight * (before - mean) / deviation + first.bias).clamp(min=0))
            for values, own in zip(sums, (mean, before.var(0), after.mean(0), after.var(0)), strict=True):
                values.append(own)
    expected = [torch.stack(values).mean(0) for values in sums]
    with reestimated(model, split, 8, generator()):
        found = [first.running_mean, first.running_var, second.running_mean, second.running_var]
        for ours, theirs in zip(found, expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_without_dropout_it_is_what_torch_does() -> None:
    ours, theirs, split = net(0.0), net(0.0), clean(20)
    update_bn([split.inputs[chosen] for chosen in torch.randperm(20, generator=generator()).split(8)], theirs)
    with reestimated(ours, split, 8, generator()):
        for name, tensor in ours.state_dict().items():
            torch.testing.assert_close(tensor, theirs.state_dict()[name])


@pytest.mark.parametrize("broken", [False, True], ids=["whole", "interrupted"])
def test_afterwards_everything_is_as_it_was(broken: bool) -> None:
    model = net()
    before, modes = deepcopy(model.state_dict()), [module.training for module in model.modules()]
    state = torch.get_rng_state()
    interruption = pytest.raises(KeyboardInterrupt) if broken else nullcontext()
    with interruption, reestimated(model, clean(20), 8, generator()):
        assert not torch.equal(model[5].running_mean, before["5.running_mean"])
        assert [module.training for module in model.modules()] == modes
        assert [layer.momentum for layer in batch_norms(model)] == [0.1, 0.3]
        if broken:
            raise KeyboardInterrupt
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)


def test_training_is_the_same_and_the_judged_model_is_another(tmp_path: Path) -> None:
    places, recipe = Places(tmp_path / "results", tmp_path / "runs"), make_recipe(tmp_path, methods=METHODS)
    plain, anew, joint = run(recipe, seeds=[0], places=places)
    assert (anew.method, joint.method) == ("upstream_bn", "upstream_trainval_clean_bn")
    curves = [
        (tmp_path / "results" / "reports" / recipe.name / label / "seed-0.csv").read_text().splitlines()[1:]
        for label in ("upstream", "upstream_bn")
    ]
    assert [line.split(",")[:2] for line in curves[0]] == [line.split(",")[:2] for line in curves[1]]
    assert plain.last.test.loss != anew.last.test.loss
    assert joint.selected is None
    weights = [
        read_checkpoint(checkpoint_path(places, recipe.name, label, 0, "last")).groups["model"]
        for label in ("upstream", "upstream_bn")
    ]
    moved = {name for name in weights[0] if not torch.equal(weights[0][name], weights[1][name])}
    assert moved
    assert all(name.split(".")[-1] in {"running_mean", "running_var", "num_batches_tracked"} for name in moved)
    for report in (anew, joint):
        path = checkpoint_path(places, recipe.name, report.method, 0, "last")
        assert evaluate_checkpoint(path).metrics == report.last.test
    assert anew.selected is not None
    path = checkpoint_path(places, recipe.name, "upstream_bn", 0, "selected")
    assert evaluate_checkpoint(path).metrics == anew.selected.test
    assert evaluate_checkpoint(path, split="val").metrics == anew.selected.val


def test_a_stopped_run_goes_on_to_the_same_report(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, methods=METHODS)
    whole = run_one(recipe, "upstream_bn", 0, places=Places(tmp_path / "whole", tmp_path / "whole-runs"))

    def stop(_: Any) -> None:
        raise KeyboardInterrupt

    places = Places(tmp_path / "results", tmp_path / "runs")
    with pytest.raises(KeyboardInterrupt):
        run_one(recipe, "upstream_bn", 0, places=places, on_progress=stop)
    resumed = run_one(recipe, "upstream_bn", 0, places=places)
    unlike = {"timing", "environment"}
    assert resumed.model_dump(exclude=unlike) == whole.model_dump(exclude=unlike)


def test_a_model_without_batch_norm_is_refused_before_the_first_run(tmp_path: Path) -> None:
    plain, normed = ({"name": "mlp", "hidden": [8], "batch_norm": batch_norm} for batch_norm in (False, True))
    with pytest.raises(RecipeError, match=r"method upstream_bn: reestimate_batch_norm needs a model with BatchNorm"):
        check(make_recipe(tmp_path, methods=METHODS, model=plain), ["upstream_bn"], Places())
    check(make_recipe(tmp_path, methods=METHODS, model=plain), ["upstream"], Places())
    check(make_recipe(tmp_path, methods=METHODS, model=normed), ["upstream_bn"], Places())
    with pytest.raises(RecipeError, match=r"methods\[0\]\.reestimate_batch_norm: unknown key"):
        make_recipe(tmp_path, methods=[{"name": "no_aug", "reestimate_batch_norm": True}])
