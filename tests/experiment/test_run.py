"""From a recipe to a report: repeatable, resumable, and honest about what selected what."""

import csv
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from saflex_cli.config.load import load_recipe
from saflex_cli.config.schema import Recipe
from saflex_cli.errors import DataError, RecipeError, ResultsError
from saflex_cli.experiment import Places, check, checkpoint_path, evaluate_checkpoint, run, run_one
from saflex_cli.store.files import curve_path, report_path
from saflex_cli.store.report import Report
from tests.recipes import CONTENT, make_recipe, write_recipe


def places_in(folder: Path) -> Places:
    return Places(folder / "results", folder / "runs")


def lasting(report: Report) -> dict[str, Any]:
    """A report without what may differ between equal runs: timing and commit."""
    content = report.model_dump()
    del content["timing"], content["environment"]["git_commit"], content["environment"]["git_dirty"]
    return content


def test_the_same_seed_gives_the_same_report_and_leaves_the_global_state(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path)
    before = torch.get_rng_state()
    first = run(recipe, seeds=[0])
    assert torch.equal(before, torch.get_rng_state())
    torch.rand(3)
    second = run(recipe, seeds=[0])
    assert [lasting(report) for report in first] == [lasting(report) for report in second]
    assert len({report.last.test.loss for report in first}) == len(recipe.methods)


def test_another_seed_gives_another_report(tmp_path: Path) -> None:
    first, second = run(make_recipe(tmp_path), methods=["no_aug"])
    assert (first.seed, second.seed) == (0, 1)
    assert first.last.test.loss != second.last.test.loss


def whole_and_resumed(recipe: Recipe, label: str, folder: Path) -> tuple[Report, Report]:
    """Seed 0 in one go, and stopped after its second epoch."""

    def stop(progress: Any) -> None:
        if progress.epoch == 2:
            raise KeyboardInterrupt

    whole = run_one(recipe, label, 0, places=places_in(folder / "whole"))
    with pytest.raises(KeyboardInterrupt):
        run_one(recipe, label, 0, places=places_in(folder / "stopped"), on_progress=stop)
    return whole, run_one(recipe, label, 0, places=places_in(folder / "stopped"))


@pytest.mark.parametrize("label", ["saflex_paper", "saflex_proximal", pytest.param("lp_a3", marks=pytest.mark.slow)])
def test_a_stopped_run_goes_on_to_the_same_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, label: str) -> None:
    monkeypatch.setattr("saflex_cli.train.pace.SHARE", math.inf)  # a checkpoint after every epoch
    recipe = make_recipe(tmp_path, methods=[*CONTENT["methods"], {"name": "lp_a3", "ratio": 0.5}])
    whole = run_one(recipe, label, 0, places=places_in(tmp_path / "whole"))

    def stop(progress: Any) -> None:
        if progress.epoch == 2:
            raise KeyboardInterrupt

    places = places_in(tmp_path / "stopped")
    with pytest.raises(KeyboardInterrupt):
        run_one(recipe, label, 0, places=places, on_progress=stop)
    assert checkpoint_path(places, recipe.name, label, 0, "resume").exists()
    epochs: list[int] = []
    resumed = run_one(recipe, label, 0, places=places, on_progress=lambda p: epochs.append(p.epoch))
    assert epochs == [3]
    assert lasting(resumed) == lasting(whole)
    assert not checkpoint_path(places, recipe.name, label, 0, "resume").exists()
    assert curve_path(places.results, recipe.name, label, 0).read_text().count("\n") == 4


def test_a_stopped_run_of_so_many_updates_goes_on_to_the_same_report(tmp_path: Path) -> None:
    train = {"epochs": 3, "batch_size": 32, "updates_per_epoch": 5}
    whole, resumed = whole_and_resumed(make_recipe(tmp_path, train=train), "saflex_proximal", tmp_path)
    assert lasting(resumed) == lasting(whole)
    assert whole.saflex is not None
    assert whole.saflex.steps == 15


def test_a_checkpoint_of_another_configuration_is_not_resumed(tmp_path: Path) -> None:
    places = places_in(tmp_path)

    def stop(_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_one(make_recipe(tmp_path), "no_aug", 0, places=places, on_progress=stop)
    changed = make_recipe(tmp_path, optimizer={"name": "adam", "lr": 0.02})
    epochs: list[int] = []
    run_one(changed, "no_aug", 0, places=places, on_progress=lambda p: epochs.append(p.epoch))
    assert epochs == [1, 2, 3]


def test_a_finished_run_is_not_repeated_and_a_stale_one_needs_force(tmp_path: Path) -> None:
    places, recipe = places_in(tmp_path), make_recipe(tmp_path)
    first = run_one(recipe, "no_aug", 0, places=places)
    again = run_one(recipe, "no_aug", 0, places=places, on_progress=lambda _: pytest.fail("trained again"))
    assert again == first
    changed = make_recipe(tmp_path, optimizer={"name": "adam", "lr": 0.02})
    with pytest.raises(ResultsError, match=r"optimizer\.lr: 0\.01 → 0\.02"):
        run_one(changed, "no_aug", 0, places=places)
    assert run_one(changed, "no_aug", 0, places=places, force=True).last.test.loss != first.last.test.loss


def test_what_a_report_says(tmp_path: Path) -> None:
    places, recipe = places_in(tmp_path), make_recipe(tmp_path)
    reports = {report.method: report for report in run(recipe, seeds=[1], places=places)}
    for label, report in reports.items():
        path = report_path(places.results, recipe.name, label, 1)
        assert path.stat().st_size <= 4096
        assert Report.model_validate_json(path.read_text()) == report
        text = path.read_text()
        assert str(tmp_path) not in text
        assert os.uname().nodename not in json.loads(text)["environment"].values()
        assert report.last.epoch == 3
        assert (report.saflex is None) == (not label.startswith("saflex"))
    trainval = reports["upstream_trainval"]
    assert trainval.selected is None
    assert trainval.last.val is None
    assert (trainval.data.train, trainval.data.val) == (160, 0)
    plain = reports["upstream"]
    assert plain.selected is not None
    assert plain.selected.val is not None
    assert (plain.data.train, plain.data.val, plain.data.test) == (100, 60, 1637)
    assert plain.config["augmenter"][1]["share"] == 0.3
    assert reports["no_aug"].config["augmenter"] == []


def test_selected_and_last_checkpoints_give_the_reported_numbers(tmp_path: Path) -> None:
    places, recipe = places_in(tmp_path), make_recipe(tmp_path)
    report = run_one(recipe, "saflex_proximal", 0, places=places)
    assert report.selected is not None
    for state, scores in (("selected", report.selected), ("last", report.last)):
        path = checkpoint_path(places, recipe.name, "saflex_proximal", 0, state)
        assert evaluate_checkpoint(path).metrics == scores.test
        assert evaluate_checkpoint(path, split="val").metrics == scores.val


def test_the_selected_numbers_are_those_of_the_best_epoch(tmp_path: Path) -> None:
    """Against the curve, which was written while training: the last epoch must not stand in for the selected one."""
    places, recipe = places_in(tmp_path), make_recipe(tmp_path, train={"epochs": 8, "batch_size": 32})
    found = [run_one(recipe, "upstream", seed, places=places) for seed in range(4)]
    assert any(report.selected and report.selected.epoch < 8 for report in found)
    for report in found:
        with curve_path(places.results, recipe.name, "upstream", report.seed).open() as file:
            rows = list(csv.DictReader(file))
        assert report.selected is not None
        assert report.selected.val is not None
        best = rows[report.selected.epoch - 1]
        assert float(best["val_accuracy"]) == max(float(row["val_accuracy"]) for row in rows)
        assert report.selected.val.loss == pytest.approx(float(best["val_loss"]), rel=1e-5)


def test_what_saflex_did_is_the_mean_of_the_curve(tmp_path: Path) -> None:
    places, recipe = places_in(tmp_path), make_recipe(tmp_path)
    report = run_one(recipe, "saflex_paper", 0, places=places)
    with curve_path(places.results, recipe.name, "saflex_paper", 0).open() as file:
        rows = list(csv.DictReader(file))
    assert report.saflex is not None
    assert 0 < report.saflex.mean_weight < 1
    assert report.saflex.mean_weight == pytest.approx(sum(float(row["mean_weight"]) for row in rows) / 3, rel=1e-5)
    assert report.saflex.steps == 3 * 4


def test_force_starts_from_the_beginning(tmp_path: Path) -> None:
    places, recipe = places_in(tmp_path), make_recipe(tmp_path)

    def stop(_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_one(recipe, "no_aug", 0, places=places, on_progress=stop)
    epochs: list[int] = []
    run_one(recipe, "no_aug", 0, places=places, force=True, on_progress=lambda p: epochs.append(p.epoch))
    assert epochs == [1, 2, 3]


def test_a_function_is_run_even_where_reports_lie(tmp_path: Path) -> None:
    """A function cannot be told from its name: no stored report is taken for its run, and none of its own is stored."""
    places, recipe = places_in(tmp_path), make_recipe(tmp_path)
    [stored] = run(recipe, methods=["upstream"], seeds=[0], places=places)
    calls: list[int] = []

    def same(x: torch.Tensor, y: torch.Tensor, _g: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        calls.append(len(x))
        return x, y

    for _ in range(2):
        [report] = run(recipe, methods=["upstream"], seeds=[0], places=places, augmenter=same)
        assert report.config != stored.config
    assert len(calls) == 2 * 3 * 4
    assert run(recipe, methods=["upstream"], seeds=[0], places=places) == [stored]


def test_no_report_tells_where_its_makers_files_lie(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    for number in range(10):
        (folder / str(number)).mkdir(parents=True)
        Image.new("L", (8, 8), 25 * number).save(folder / str(number) / "a.png")
    recipe = make_recipe(tmp_path, augmenter={"name": "folder", "path": str(folder)})
    places = places_in(tmp_path)
    report = run_one(recipe, "upstream", 0, places=places)
    assert report.config["augmenter"] == [{"name": "folder", "path": "made"}]
    assert [len(digest) for digest in report.data.pools] == [64]
    assert str(tmp_path) not in report_path(places.results, recipe.name, "upstream", 0).read_text()
    shutil.rmtree(folder)
    assert run_one(recipe, "upstream", 0, places=places) == report
    path = checkpoint_path(places, recipe.name, "upstream", 0, "last")
    assert evaluate_checkpoint(path).metrics == report.last.test  # an evaluation needs no pre-made samples


def test_the_users_own_function_takes_the_place_of_the_augmenter(tmp_path: Path) -> None:
    calls: list[int] = []

    def noise(x: torch.Tensor, y: torch.Tensor, g: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        calls.append(len(x))
        return x + torch.randn(x.shape, generator=g), y

    path = write_recipe(tmp_path, augmenter=None)
    with pytest.raises(RecipeError, match="method upstream needs an augmentation"):
        run(path)
    reports = run(path, augmenter=noise, methods=["no_aug", "upstream", "saflex_proximal"], seeds=[0])
    assert len(calls) == 2 * 3 * 4
    assert reports[0].config["augmenter"] == []
    assert "noise" in reports[1].config["augmenter"][0]["function"]
    assert not list(tmp_path.glob("results*"))


def test_pre_made_samples_from_a_folder(tmp_path: Path) -> None:
    for number in range(10):
        folder = tmp_path / "data" / "made" / str(number)
        folder.mkdir(parents=True)
        Image.new("L", (8, 8), 25 * number).save(folder / "a.png")
    recipe = make_recipe(tmp_path, augmenter={"name": "folder", "path": "made"})
    places = Places(tmp_path / "results", tmp_path / "runs", data_root=tmp_path / "data")
    report = run_one(recipe, "saflex_proximal", 0, places=places)
    assert report.config["augmenter"] == [{"name": "folder", "path": "made"}]


def test_a_peer_without_an_upstream_needs_and_takes_no_augmentation(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, methods=[{"name": "lp_a3"}], augmenter=None)
    check(recipe, ["lp_a3"], places_in(tmp_path))
    [plain] = run(recipe, seeds=[0])
    [other] = run(recipe, seeds=[0], augmenter=lambda x, y, _g: (x * 0, y))
    assert lasting(plain) == lasting(other)
    assert plain.config["augmenter"] == []
    assert plain.saflex is None


def test_what_would_stop_a_later_run_is_found_first(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    recipe = make_recipe(tmp_path, augmenter={"name": "folder", "path": "made"})
    with pytest.raises(DataError, match=r"augmenter\.path: no folder .*made"):
        check(recipe, ["no_aug", "upstream"], places)
    check(recipe, ["no_aug"], places)
    methods = [{"name": "saflex", "preset": "paper", "outer_batch_size": 100}]
    with pytest.raises(DataError, match="outer_batch_size is 100"):
        check(make_recipe(tmp_path, methods=methods), ["saflex_paper"], places)
    with pytest.raises(DataError, match="--data-root: no folder"):
        check(recipe, ["no_aug"], Places(data_root=tmp_path / "nowhere"))


KILLED = """
import sys
from pathlib import Path
from saflex_cli.config.load import load_recipe
from saflex_cli.experiment import Places, run_one
folder = Path(sys.argv[1])
recipe = load_recipe(folder / "recipe.yaml")
places = Places(folder / "results", folder / "runs")
run_one(recipe, "saflex_proximal", 0, places=places, on_progress=lambda p: print(p.epoch, flush=True))
"""


POOLED: dict[str, Any] = {
    "pool": {"size": 60, "wrong_labels": 0.5},
    "augmenter": {"name": "pool"},
    "train": {"epochs": 200, "batch_size": 32, "updates_per_epoch": 4},
}


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"train": {"epochs": 200, "batch_size": 32}}, POOLED], ids=["plain", "pool"])
def test_a_run_killed_at_any_moment_goes_on_to_the_same_report(tmp_path: Path, changes: dict[str, Any]) -> None:
    """kill −9 three times, at moments that the run does not choose."""
    recipe: Recipe = load_recipe(write_recipe(tmp_path, **changes))
    for pause in (0.05, 0.4, 0.8):
        with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(pause)
            child.send_signal(signal.SIGKILL)
        assert child.returncode == -signal.SIGKILL
    places = places_in(tmp_path)
    assert not report_path(places.results, recipe.name, "saflex_proximal", 0).exists()
    epochs: list[int] = []
    resumed = run_one(recipe, "saflex_proximal", 0, places=places, on_progress=lambda p: epochs.append(p.epoch))
    assert 1 < epochs[0] < 200
    assert lasting(resumed) == lasting(run(recipe, methods=["saflex_proximal"], seeds=[0])[0])


def test_a_net_of_images_is_refused_for_vectors_before_the_first_run(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, data={"name": "gaussians", "train": 30, "val": 30, "test": 30}, augmenter=None)
    with pytest.raises(RecipeError, match=r"^recipe tests/digits: model: small_cnn takes images"):
        check(recipe, ["no_aug"], places_in(tmp_path))
