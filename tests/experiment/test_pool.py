"""A pool of partly wrong samples end to end: the clean rest is trained on, and reports count what is wrong."""

from pathlib import Path
from typing import Any

import pytest
import torch

from saflex_cli.config.identity import differences, find_method, run_config
from saflex_cli.config.schema import Recipe
from saflex_cli.data.splits import PixelScale, Split, Splits
from saflex_cli.errors import DataError, RecipeError
from saflex_cli.experiment import Places, check, checkpoint_path, evaluate_checkpoint, run, run_one
from saflex_cli.experiment.parts import build_parts
from saflex_cli.seeding import Streams
from tests.recipes import make_recipe

POOL = {"size": 70, "wrong_labels": 0.6, "wrong_inputs": 0.2}


def recipe_with_pool(folder: Path, **changes: Any) -> Recipe:
    steps = [{"name": "pool"}, {"name": "rotation", "degrees": 10}]
    return make_recipe(folder, **({"pool": POOL, "augmenter": steps} | changes))


def test_reports_count_the_clean_rest_and_what_is_wrong(tmp_path: Path) -> None:
    places, recipe = Places(tmp_path / "results", tmp_path / "runs"), recipe_with_pool(tmp_path)
    reports = {report.method: report for report in run(recipe, seeds=[0], places=places)}
    assert {report.data.train for report in reports.values()} == {30, 90}
    facts = {report.data.noisy_pool for report in reports.values()}
    [fact] = facts
    assert fact is not None
    assert (fact.size, fact.wrong_labels, fact.wrong_inputs) == (70, 42, 14)
    assert 0 < fact.wrong_both < 14
    assert len({report.last.test.loss for report in reports.values()}) == len(recipe.methods)
    for report in reports.values():
        assert report.config["pool"] == POOL
    path = checkpoint_path(places, recipe.name, "upstream", 0, "last")
    assert evaluate_checkpoint(path).metrics == reports["upstream"].last.test
    assert len(evaluate_checkpoint(path, split="train").labels) == 30


def test_without_a_pool_nothing_is_said_of_one(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path)
    [report] = run(recipe, methods=["no_aug"], seeds=[0])
    assert report.data.noisy_pool is None
    assert "pool" not in report.config


def test_the_pool_makes_a_report_stale(tmp_path: Path) -> None:
    plain, pooled = make_recipe(tmp_path), recipe_with_pool(tmp_path, augmenter=None)
    other = recipe_with_pool(tmp_path, augmenter=None, pool={"size": 70})
    method = find_method(plain, "no_aug")
    assert differences(run_config(plain, method), pooled, method)[0] == "pool.size: (absent) → 70"
    assert differences(run_config(pooled, method), plain, method)[0] == "pool.size: 70 → (absent)"
    assert differences(run_config(pooled, method), other, method) == [
        "pool.wrong_labels: 0.6 → 0.0",
        "pool.wrong_inputs: 0.2 → 0.0",
    ]


def test_every_method_of_a_seed_has_the_same_pool_and_another_seed_another(tmp_path: Path) -> None:
    recipe = recipe_with_pool(tmp_path, data={"name": "digits", "train": 100, "val": 60, "split_seed": 0})
    first, same, other = (
        build_parts(recipe, label, seed, None) for label, seed in (("no_aug", 0), ("saflex_paper", 0), ("no_aug", 1))
    )
    assert torch.equal(first.splits.train.inputs, same.splits.train.inputs)
    assert not torch.equal(first.splits.train.inputs, other.splits.train.inputs)
    assert torch.equal(first.splits.val.inputs, other.splits.val.inputs)


def test_a_step_sees_the_pool_and_not_the_clean_batch(tmp_path: Path) -> None:
    parts = build_parts(recipe_with_pool(tmp_path, augmenter={"name": "pool"}), "upstream", 0, None)
    assert parts.upstream is not None
    assert parts.pool is not None
    train = parts.splits.train
    batch = parts.upstream.epoch(Streams(0), 0)(train.inputs, train.labels)
    pool, clean = ({row.numpy().tobytes() for row in rows} for rows in (parts.pool.inputs, train.inputs))
    drawn = {row.numpy().tobytes() for row in batch.inputs}
    assert len(drawn) == 30
    assert drawn <= pool
    assert not drawn & clean


def test_what_does_not_fit_is_told_before_the_first_run(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"^recipe tests/digits: augmenter: pool draws .* add the key pool"):
        check(recipe_with_pool(tmp_path, pool=None), ["upstream"], Places())
    with pytest.raises(DataError, match=r"^recipe tests/digits: pool\.size is 100, but there are 100 training samples"):
        check(recipe_with_pool(tmp_path, pool={"size": 100}), ["no_aug"], Places())
    with pytest.raises(RecipeError, match=r"recipe\.yaml:\d+: pool\.wrong_labels: .*less than or equal to 1"):
        recipe_with_pool(tmp_path, pool={"size": 10, "wrong_labels": 1.5})
    said = "pool: 70 of 100 training samples, 42 with a wrong label, 14 with wrong inputs; 30 clean ones stay"
    assert check(recipe_with_pool(tmp_path), ["no_aug", "upstream"], Places()) == (said,)


@pytest.mark.parametrize("label", ["upstream", "saflex_proximal"])
def test_a_stopped_run_goes_on_to_the_same_report(tmp_path: Path, label: str) -> None:
    train = {"epochs": 3, "batch_size": 16, "updates_per_epoch": 4}
    recipe = recipe_with_pool(tmp_path, train=train)
    whole = run_one(recipe, label, 0, places=Places(tmp_path / "whole", tmp_path / "whole-runs"))

    def stop(_: Any) -> None:
        raise KeyboardInterrupt

    places = Places(tmp_path / "results", tmp_path / "runs")
    with pytest.raises(KeyboardInterrupt):
        run_one(recipe, label, 0, places=places, on_progress=stop)
    epochs: list[int] = []
    resumed = run_one(recipe, label, 0, places=places, on_progress=lambda p: epochs.append(p.epoch))
    assert epochs == [2, 3]
    unlike = {"timing", "environment"}
    assert resumed.model_dump(exclude=unlike) == whole.model_dump(exclude=unlike)


def test_what_saflex_did_to_wrong_labels_is_counted(tmp_path: Path) -> None:
    """16 steps of 30 samples; kept as they are, labels recover nothing and lose nothing."""
    methods = [
        {"name": "saflex", "preset": "weights_only", "label": "labels_stay"},
        {"name": "saflex", "preset": "bootstrap", "label_retention": 0.0, "label": "labels_go", "clean_batch": True},
        {"name": "upstream"},
    ]
    train = {"epochs": 4, "batch_size": 64, "updates_per_epoch": 4}
    stay, go, plain = run(recipe_with_pool(tmp_path, methods=methods, train=train), seeds=[0])
    assert plain.saflex is None
    for report in (stay, go):
        assert report.saflex is not None
        facts = report.saflex.labels
        assert facts is not None
        assert facts.wrong + facts.right + facts.classless == 16 * 30
        assert facts.wrong > facts.right > 0
        assert 0 < facts.classless < 16 * 14
        count = 16 * 30
        parts = ((facts.wrong, facts.mean_weight_wrong), (facts.right, facts.mean_weight_right))
        parts += ((facts.classless, facts.mean_weight_classless),)
        assert sum(number * (weight or 0.0) for number, weight in parts) / count == pytest.approx(
            report.saflex.mean_weight
        )
    assert stay.saflex is not None
    assert stay.saflex.labels is not None
    assert (stay.saflex.labels.recovered, stay.saflex.labels.kept) == (0.0, 1.0)
    assert go.saflex is not None
    assert go.saflex.labels is not None
    assert 0 < (go.saflex.labels.recovered or 0) < 1
    assert 0 < (go.saflex.labels.kept or 0) < 1


@pytest.mark.parametrize(
    ("steps", "known"),
    [
        ([{"name": "rotation"}, {"name": "corrupt_labels", "share": 0.3}], True),
        ([{"name": "corrupt_labels", "share": 0.3}, {"name": "rotation"}], True),
        ([{"name": "corrupt_labels", "share": 0.3}, {"name": "mixup"}], False),
        ([{"name": "pool"}, {"name": "mixup"}, {"name": "corrupt_labels", "share": 0.3}], False),
        ([{"name": "rotation"}], False),
    ],
)
def test_where_true_classes_are_known(tmp_path: Path, steps: list[dict[str, Any]], known: bool) -> None:
    [report] = run(recipe_with_pool(tmp_path, augmenter=steps), methods=["saflex_paper"], seeds=[0])
    assert report.saflex is not None
    assert (report.saflex.labels is not None) == known


def test_corrupted_labels_are_counted_as_often_as_asked(tmp_path: Path) -> None:
    steps = {"name": "corrupt_labels", "share": 0.3, "to": "uniform"}
    train = {"epochs": 10, "batch_size": 50}
    recipe = make_recipe(tmp_path, augmenter=steps, train=train)
    [report] = run(recipe, methods=["saflex_paper"], seeds=[0])
    assert report.saflex is not None
    assert report.saflex.labels is not None
    assert report.saflex.labels.wrong + report.saflex.labels.right == 1000
    assert abs(report.saflex.labels.wrong - 300) < 45


@pytest.mark.parametrize("then", ["cell_cutmix", "column_cutmix", "embedding_mixup"])
def test_rows_of_a_table_and_the_steps_after_the_pool(tmp_path: Path, then: str) -> None:
    """Codes stay codes, and missing values stay missing, whether scrambled or not."""
    rows = torch.cat([torch.randn(100, 2), torch.randint(4, (100, 1)).float()], dim=1)
    rows[::5, 0] = torch.nan
    split = Split(rows, torch.arange(100) % 2)
    table = Splits(split, split, split, ("no", "yes"), PixelScale(0.0, 1.0), sha256="made up", levels=(4,))
    recipe = recipe_with_pool(
        tmp_path,
        data={"name": "gaussians"},  # stands for the table, which no recipe names
        model={"name": "mlp", "hidden": [8]},
        augmenter=[{"name": "pool"}, {"name": then}],
    )
    parts = build_parts(recipe, "saflex_paper", 0, None, splits=table)
    assert parts.pool is not None
    assert set(parts.pool.inputs[:, 2].tolist()) <= {0, 1, 2, 3}
    assert bool(parts.pool.inputs[:, 0].isnan().any())
    cpu = torch.device("cpu")
    state = parts.fit(parts.model(cpu), cpu, tmp_path / "resume.safetensors").run(lambda _: None)
    assert len(state.curve) == 3


def test_pairs_of_rows_cannot_come_before_the_pool(tmp_path: Path) -> None:
    steps = [{"name": "embedding_mixup"}, {"name": "pool"}]
    data = {"name": "gaussians", "train": 100, "val": 30, "test": 30}
    recipe = recipe_with_pool(tmp_path, data=data, model={"name": "mlp"}, augmenter=steps)
    with pytest.raises(RecipeError, match="embedding_mixup did before it would be lost; put pool first"):
        check(recipe, ["upstream"], Places())
