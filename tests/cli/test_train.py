"""`saflex train`: what it announces, skips, refuses and writes."""

import re
from pathlib import Path

import pytest

from saflex_cli.cli.plan import landing
from tests.cli.conftest import Saflex


def test_it_announces_tells_and_says_how_to_see(trained: Path) -> None:
    lines = (trained / "output.txt").read_text().splitlines()
    assert lines[0] == "tests/digits: 4 runs, 4 to do; results in results/"
    done = re.compile(r"done 1/4 no_aug seed 0: val \d+\.\d, test \d+\.\d \(selected epoch 1\), \d+\.\d s")
    assert done.fullmatch(lines[1])
    last = re.compile(r"done 4/4 upstream_trainval seed 1: test \d+\.\d \(last epoch 1\), \d+\.\d s")
    assert last.fullmatch(lines[4])
    assert lines[5:] == ["See the table: saflex table tests/digits --allow-missing"]
    assert len(list((trained / "results").rglob("seed-*.json"))) == 4
    assert len(list((trained / "runs").rglob("last.safetensors"))) == 4


def test_dry_run_shows_states_and_settings_and_runs_nothing(
    saflex: Saflex, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    before = sorted(trained.rglob("*"))
    result = saflex("train", "tests/digits", "--dry-run", "--seed", "1", "--seed", "5")
    assert result.exit_code == 0
    assert "tests/digits: 8 runs, 2 already done, 6 to do; results in results/" in result.stdout
    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()[3:]}
    assert rows["no_aug"] == ["1", "5"]
    assert rows["saflex_proximal"][:4] == ["1", "5", "preset=proximal", "scope=head"]
    assert "temperature=0.5" in rows["saflex_proximal"]
    assert "train_on=train+val" in rows["upstream_trainval"]
    assert sorted(trained.rglob("*")) == before


TOGETHER = ["--together", "--set", "model={name: mlp, hidden: [8]}", "--out", "mine"]


def test_all_seeds_of_a_method_together(saflex: Saflex, project: Path) -> None:
    result = saflex("train", "tests/digits", "--method", "no_aug", "--method", "saflex_paper", *TOGETHER)
    assert result.exit_code == 0, result.output
    lines = [line.split(":")[0] for line in result.stdout.splitlines()[1:5]]
    runs = ("no_aug seed 0", "no_aug seed 1", "saflex_paper seed 0", "saflex_paper seed 1")
    assert lines == [f"done {number}/4 {run}" for number, run in enumerate(runs, start=1)]
    assert len(_reports(project)) == 4
    again = saflex("train", "tests/digits", "--method", "no_aug", "--seed", "0", "--seed", "7", *TOGETHER)
    assert "2 runs, 1 already done, 1 to do" in again.stdout
    assert "done 1/1 no_aug seed 7: " in again.stdout


def test_what_cannot_go_together_is_refused_before_the_first_run(saflex: Saflex, project: Path) -> None:
    result = saflex("train", "tests/digits", "--together")
    assert result.exit_code == 1
    assert "tests/digits: the seeds of no_aug cannot be trained together: the model is small_cnn" in result.stderr
    assert "train them one by one" in result.stderr
    assert not (project / "runs").exists()


def test_finished_runs_are_skipped(saflex: Saflex, trained: Path) -> None:
    before = _reports(trained)
    result = saflex("train", "tests/digits", "--method", "no_aug")
    assert result.exit_code == 0
    assert "2 runs, 2 already done" in result.stdout
    assert "done 1/" not in result.stdout
    assert _reports(trained) == before


@pytest.mark.usefixtures("trained")
def test_a_seed_that_the_recipe_does_not_have(saflex: Saflex) -> None:
    result = saflex("train", "tests/digits", "--method", "no_aug", "--seed", "0", "--seed", "9")
    assert "2 runs, 1 already done, 1 to do" in result.stdout
    assert "done 1/1 no_aug seed 9: " in result.stdout


def test_force_runs_again(saflex: Saflex, trained: Path) -> None:
    before = _reports(trained)
    result = saflex("train", "tests/digits", "--method", "no_aug", "--seed", "0", "--force")
    assert "done 1/1 no_aug seed 0: " in result.stdout
    after = _reports(trained)
    assert [path for path in before if before[path] != after[path]] == [
        "results/reports/tests/digits/no_aug/seed-0.json"
    ]


def test_stale_reports_are_refused_until_forced(saflex: Saflex, trained: Path) -> None:
    path = trained / "recipes/tests/digits.yaml"
    path.write_text(path.read_text().replace("epochs: 1", "epochs: 2"))
    before = _reports(trained)
    result = saflex("train", "tests/digits", "--method", "no_aug")
    assert result.exit_code == 1
    assert "2 runs, 2 stale" in result.stdout
    assert "train.epochs: 1 → 2" in result.stderr
    assert "--force" in result.stderr
    assert "and 1 more; --dry-run lists them" in result.stderr
    assert _reports(trained) == before
    dry = saflex("train", "tests/digits", "--method", "no_aug", "--dry-run")
    assert (dry.exit_code, dry.stderr) == (0, "")


def test_set_lands_beside_and_its_table_can_be_read(saflex: Saflex, trained: Path) -> None:
    override = "optimizer.lr=0.02"
    before = _reports(trained)
    result = saflex("train", "tests/digits", "--method", "no_aug", "--seed", "0", "--set", override)
    assert result.exit_code == 0
    folder, _ = landing(None, [override])
    assert (folder / "reports/tests/digits/no_aug/seed-0.json").is_file()
    assert _reports(trained).items() >= before.items()
    command = result.stdout.splitlines()[-1].removeprefix("See the table: ").split()
    assert command == ["saflex", "table", "tests/digits", "--set", override, "--allow-missing"]
    table = saflex(*command[1:])
    assert table.exit_code == 0
    assert "--set optimizer.lr=0.02" in table.stdout


def test_out_keeps_results_and_checkpoints_together(saflex: Saflex, project: Path) -> None:
    result = saflex("train", "tests/digits", "--method", "no_aug", "--seed", "0", "--out", "mine")
    assert result.stdout.splitlines()[-1] == "See the table: saflex table tests/digits --out mine --allow-missing"
    assert (project / "mine/reports/tests/digits/no_aug/seed-0.json").is_file()
    assert (project / "mine/runs/tests/digits/no_aug/seed-0/last.safetensors").is_file()
    assert not (project / "results").exists()


def test_a_missing_data_root_stops_before_the_first_run(saflex: Saflex, project: Path) -> None:
    result = saflex("train", "tests/digits", "--data-root", "nowhere")
    assert result.exit_code == 1
    assert "--data-root: no folder nowhere" in result.stderr
    assert not (project / "runs").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("epochs: 1\n  epochs: 2", "recipes/tests/digits.yaml:"),
        ("epochs: 1e-3", "train.epochs: should be a valid integer"),
        ("epoch: 1", "train.epoch: unknown key"),
    ],
)
def test_a_recipe_with_a_mistake(saflex: Saflex, project: Path, change: str, said: str) -> None:
    path = project / "recipes/tests/digits.yaml"
    path.write_text(path.read_text().replace("epochs: 1", change))
    result = saflex("train", "tests/digits")
    assert result.exit_code == 1
    assert said in result.stderr


@pytest.mark.usefixtures("project")
def test_a_method_listed_twice(saflex: Saflex) -> None:
    result = saflex("train", "tests/digits", "--set", "methods[1].label=no_aug")
    assert result.exit_code == 1
    assert "no_aug is listed twice" in result.stderr


def test_a_run_that_fails_does_not_stop_the_others(saflex: Saflex, project: Path) -> None:
    broken = project / "runs/tests/digits/no_aug/seed-0/resume.safetensors"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"not a checkpoint")
    result = saflex("train", "tests/digits", "--method", "no_aug")
    assert result.exit_code == 1
    assert "failed 1/2 no_aug seed 0: " in result.stdout
    assert "done 2/2 no_aug seed 1: " in result.stdout
    assert "1 of 2 runs failed; the others are kept\n  tests/digits no_aug seed 0: runs/tests" in result.stderr
    assert [Path(name).name for name in _reports(project)] == ["seed-1.json"]


def _reports(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("seed-*.json"))}
