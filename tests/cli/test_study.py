"""`saflex study`: what it announces, makes, packs, shares, refuses and checks."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from saflex_cli.cli import catalogue, study
from saflex_cli.launch import local
from saflex_cli.launch.jobs import Event, Outcome
from tests.cli.conftest import Saflex, run_saflex
from tests.studies import write_study

PACKED = "results/studies/tiny/small-digits"


def enter(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.chdir(folder)
    patch.setattr(catalogue, "roots", lambda: [Path("recipes")])


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write_study(folder)
    with pytest.MonkeyPatch.context() as patch:
        enter(folder, patch)
        result = run_saflex("study", "tiny")
    assert result.exit_code == 0, result.output
    (folder / "output.txt").write_text(result.stdout)
    return folder


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a study that has not run."""
    write_study(tmp_path / "project")
    enter(tmp_path / "project", monkeypatch)
    return Path.cwd()


@pytest.fixture
def made(_made: Path, empty: Path) -> Path:
    """The same after its run."""
    shutil.copytree(_made, empty, dirs_exist_ok=True)
    return empty


def packed(folder: Path) -> dict[str, list[tuple[str, int]]]:
    """Methods and seeds of every packed file."""
    found = {}
    for path in sorted((folder / PACKED).glob("*.jsonl")):
        reports = [json.loads(line) for line in path.read_text().splitlines()]
        assert {report["recipe"] for report in reports} == {f"study/tiny/small-digits/{path.stem}"}
        found[path.stem] = [(report["method"], report["seed"]) for report in reports]
    return found


EVERY = [(method, seed) for method in ("no_aug", "upstream", "saflex_proximal") for seed in (0, 1)]


def test_it_says_what_it_will_do_makes_shared_runs_once_and_packs_them(made: Path) -> None:
    lines = (made / "output.txt").read_text().splitlines()
    assert lines[0] == (
        "tiny: 2 cells, 12 runs, 12 to do (10 to make: cells share the others); results in results/studies/tiny/"
    )
    assert lines[1] == "10 runs to do: no report to judge their cost by"
    assert lines[2].startswith("done 1/10 study/tiny/small-digits/0 no_aug seed 0: val ")
    assert packed(made) == {"0": EVERY, "0_4": EVERY}
    assert sorted(path.name for path in (made / "results/studies").iterdir()) == [
        "tiny",
        "tiny.csv",
        "tiny.md",
        "tiny.png",
    ]
    assert len(list((made / "runs/studies/tiny/reports").rglob("seed-*.csv"))) == 10
    assert not list(made.rglob("*.safetensors"))


def test_a_second_run_and_a_fresh_clone_have_nothing_to_do(saflex: Saflex, made: Path) -> None:
    before = {path: path.read_bytes() for path in (made / "results").rglob("*") if path.is_file()}
    shutil.rmtree(made / "runs")
    result = saflex("study", "study/tiny")
    assert result.exit_code == 0
    assert "2 cells, 12 runs, 12 already done; results" in result.stdout
    assert "done 1/" not in result.stdout
    assert {path: path.read_bytes() for path in (made / "results").rglob("*") if path.is_file()} == before


def test_the_working_folder_is_enough(saflex: Saflex, made: Path) -> None:
    shutil.rmtree(made / "results")
    assert "12 already done" in saflex("study", "tiny").stdout
    assert packed(made) == {"0": EVERY, "0_4": EVERY}


def test_a_new_seed_runs_alone(saflex: Saflex, made: Path) -> None:
    write_study(made, seeds=[0, 1, 2])
    dry = saflex("study", "tiny", "--dry-run")
    assert "18 runs, 12 already done, 6 to do (5 to make: cells share the others)" in dry.stdout
    assert "small-digits/0_4      9      6               3   augmenter[1].share=0.4" in dry.stdout
    assert "5 runs to do: about " in dry.stdout
    result = saflex("study", "tiny", "--cell", "small-digits/0_4", "--method", "no_aug", "--seed", "2")
    assert "done 1/1 no_aug seed 2" in result.stdout
    # The cell that was not named has it too: its run cannot differ.
    assert [len(runs) for runs in packed(made).values()] == [7, 7]
    assert "Incomplete: 14 of 18 reports" in (made / "results/studies/tiny.md").read_text()


def test_stale_reports_are_refused_until_forced_and_never_lost(saflex: Saflex, made: Path) -> None:
    write_study(
        made,
        methods=[
            {"name": "no_aug"},
            {"name": "upstream", "normalise": "batch"},
            {"name": "saflex", "preset": "proximal"},
        ],
    )
    before = {path: path.read_bytes() for path in (made / PACKED).iterdir()}
    result = saflex("study", "tiny")
    assert result.exit_code == 1
    assert "12 runs, 8 already done, 4 stale" in result.stdout
    assert f"{PACKED}/0.jsonl:3: belongs to another recipe (method.normalise: 'sum' → 'batch')" in result.stderr
    assert "`saflex study recipes/study/tiny.yaml --force` replaces it" in result.stderr
    assert {path: path.read_bytes() for path in (made / PACKED).iterdir()} == before
    assert saflex("study", "--check").exit_code == 1
    forced = saflex("study", "tiny", "--method", "upstream", "--force")
    assert forced.exit_code == 0, forced.output
    assert "done 4/4" in forced.stdout
    assert packed(made) == {"0": EVERY, "0_4": EVERY}
    assert saflex("study", "--check").exit_code == 0


def test_check(saflex: Saflex, made: Path) -> None:
    result = saflex("study", "--check")
    assert (result.exit_code, result.stdout) == (0, "tiny: as its reports say\n")
    path = made / "results/studies/tiny.md"
    path.write_text(path.read_text().replace("no augmentation", "something else", 1))
    result = saflex("study", "--check")
    assert result.exit_code == 1
    assert "differs from the reports" in result.stderr
    table = saflex("study", "tiny", "--table")
    assert table.stdout == path.read_text()
    assert saflex("study", "tiny", "--check").exit_code == 0


@pytest.mark.usefixtures("empty")
def test_a_study_that_has_not_run(saflex: Saflex) -> None:
    assert saflex("study", "--check").stdout == "tiny: not written; 0 of 12 reports are there\n"
    result = saflex("study", "tiny", "--table")
    assert result.exit_code == 1
    assert "tiny: no report is packed yet; `saflex study recipes/study/tiny.yaml` makes them" in result.stderr
    assert saflex("recipes").stdout.splitlines()[-1].split() == ["tiny", "2", "3", "12", "0"]


def test_ctrl_c_packs_what_is_finished(saflex: Saflex, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = local.launch

    def interrupted(*args: object, on_event: Callable[[Event], None], **options: object) -> object:
        ended = []

        def listen(event: Event) -> None:
            on_event(event)
            ended.extend([event] if isinstance(event, Outcome) else [])
            if len(ended) == 3:
                raise KeyboardInterrupt

        return real(*args, on_event=listen, **options)

    monkeypatch.setattr(local, "launch", interrupted)
    result = saflex("study", "tiny")
    assert result.exit_code == 130
    assert "finished runs are kept" in result.stderr
    assert packed(empty) == {"0": EVERY[:3], "0_4": EVERY[:2]}


def test_out_and_kept_models(saflex: Saflex, empty: Path) -> None:
    words = ("--out", "mine", "--method", "no_aug", "--seed", "0", "--keep-models")
    assert saflex("study", "tiny", *words).exit_code == 0
    assert (empty / "mine/studies/tiny/small-digits/0_4.jsonl").is_file()
    folder = empty / "mine/runs/studies/tiny/runs/study/tiny/small-digits/0/no_aug/seed-0"
    assert (folder / "last.safetensors").is_file()
    assert not (empty / "results").exists()


def test_a_run_that_fails_does_not_stop_the_others(saflex: Saflex, empty: Path) -> None:
    broken = empty / "runs/studies/tiny/runs/study/tiny/small-digits/0/upstream/seed-0/resume.safetensors"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"not a checkpoint")
    result = saflex("study", "tiny", "--method", "upstream", "--cell", "small-digits/0")
    assert result.exit_code == 1
    assert "1 of 2 runs failed; the others are kept" in result.stderr
    assert packed(empty) == {"0": [("upstream", 1)]}


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["study"], 2, "name a study"),
        (["study", "tini"], 1, "no study 'tini'; did you mean tiny?"),
        (["study", "recipes/study/base-digits.yaml"], 1, "is no study: it has no key curves"),
        (["study", "tiny", "--cell", "small-digit"], 1, "tiny has no cell 'small-digit'; did you mean small-digits?"),
        (["study", "tiny", "--method", "upsteam"], 1, "has no method 'upsteam'; did you mean upstream?"),
        (["study", "tiny", "--seed", "7"], 1, "tiny has no seed 7; it has: 0, 1"),
        (["study", "tiny", "--check", "--force"], 2, "--check takes no other option but --out"),
        (["study", "tiny", "--data-root", "nowhere"], 1, "--data-root: no folder nowhere"),
        (["train", "study/tiny"], 1, "recipes/study/tiny.yaml is a study; run it with: saflex study study/tiny"),
        (["table", "recipes/study/tiny.yaml"], 1, "is a study; run it with: saflex study"),
    ],
)
def test_wrong_use(saflex: Saflex, words: list[str], code: int, said: str) -> None:
    result = saflex(*words)
    assert result.exit_code == code
    assert said in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.usefixtures("empty")
def test_what_is_not_installed_is_named_before_the_first_run(saflex: Saflex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "find_spec", lambda name: None if name == "statsmodels" else name)
    result = saflex("study", "tiny")
    assert result.exit_code == 1
    assert "pip install 'saflex[study]'" in result.stderr
