"""`saflex probe`: what it announces, makes, packs, refuses and checks."""

import shutil
from pathlib import Path

import pytest

from saflex_cli.cli import catalogue, probe
from saflex_cli.launch import local
from tests.cli.conftest import Saflex, run_saflex
from tests.probes import CONTENT, DECREASE, write_probe

SMALL = DECREASE | {"recipe": {"model": {"name": "mlp", "hidden": [4]}, "pool": {"size": 120, "wrong_labels": 0.4}}}
PACKED = Path("results/probes/tiny.jsonl")


def enter(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.chdir(folder)
    patch.setattr(catalogue, "roots", lambda: [Path("recipes")])


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("probed")
    write_probe(folder, **SMALL)
    with pytest.MonkeyPatch.context() as patch:
        enter(folder, patch)
        result = run_saflex("probe", "tiny", "--device", "cpu")
    assert result.exit_code == 0, result.output
    (folder / "output.txt").write_text(result.stdout)
    return folder


@pytest.fixture
def made(_made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project after its probe."""
    shutil.copytree(_made, tmp_path / "project")
    enter(tmp_path / "project", monkeypatch)
    return Path.cwd()


def test_it_says_what_it_will_do_makes_and_packs(made: Path) -> None:
    lines = (made / "output.txt").read_text().splitlines()
    assert lines[0] == "tiny: 2 runs, 2 to do; results in results/probes/tiny.jsonl"
    assert "done 2/2 upstream seed 1: val " in lines[-1]
    assert len(PACKED.read_text().splitlines()) == 2
    assert sorted(path.name for path in PACKED.parent.iterdir()) == ["tiny.csv", "tiny.jsonl", "tiny.md", "tiny.png"]
    assert not list(made.rglob("*.safetensors"))
    assert not (made / "results/reports").exists()


def test_a_second_run_and_a_fresh_clone_have_nothing_to_do(saflex: Saflex, made: Path) -> None:
    before = {path: path.read_bytes() for path in (made / "results").rglob("*") if path.is_file()}
    shutil.rmtree(made / "runs")
    result = saflex("probe", "study/tiny")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("tiny: 2 runs, 2 already done; results")
    assert {path: path.read_bytes() for path in (made / "results").rglob("*") if path.is_file()} == before


def test_the_working_folder_is_enough(saflex: Saflex, made: Path) -> None:
    before = PACKED.read_bytes()
    shutil.rmtree(made / "results")
    assert "2 already done" in saflex("probe", "tiny").stdout
    assert PACKED.read_bytes() == before


@pytest.mark.slow
def test_a_new_seed_runs_alone_and_a_new_question_needs_force(saflex: Saflex, made: Path) -> None:
    write_probe(made, **SMALL, seeds=[0, 1, 2])
    dry = saflex("probe", "tiny", "--dry-run")
    assert "3 runs, 2 already done, 1 to do" in " ".join(dry.stdout.split())
    assert len(PACKED.read_text().splitlines()) == 2
    assert "done 1/1 upstream seed 2" in saflex("probe", "tiny", "--jobs", "2").stdout
    assert len(PACKED.read_text().splitlines()) == 3
    write_probe(made, **(SMALL | {"probe": SMALL["probe"] | {"batch": 9}}), seeds=[0, 1, 2])
    refused = saflex("probe", "tiny")
    assert refused.exit_code == 1
    assert "was measured otherwise (probe.batch: 8 → 9)" in refused.stderr
    assert saflex("probe", "--check").exit_code == 1
    assert saflex("probe", "tiny", "--force").exit_code == 0
    assert saflex("probe", "--check").stdout == "tiny: as its records say\n"


def test_ctrl_c_keeps_what_is_finished(saflex: Saflex, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(made / "results")
    shutil.rmtree(made / "runs")
    execute = local._execute

    def interrupted(program, task, on_event):
        if program[0].seed == 1:
            raise KeyboardInterrupt
        return execute(program, task, on_event)

    monkeypatch.setattr(local, "_execute", interrupted)
    result = saflex("probe", "tiny")
    assert result.exit_code == 130
    assert "finished runs are kept, run the same command again to go on" in result.stderr
    assert len(PACKED.read_text().splitlines()) == 1
    monkeypatch.undo()
    enter(made, monkeypatch)
    assert "1 already done, 1 to do" in saflex("probe", "tiny").stdout


def test_table_and_check(saflex: Saflex, made: Path) -> None:
    assert saflex("probe", "--check").stdout == "tiny: as its records say\n"
    path = made / "results/probes/tiny.md"
    text = path.read_text()
    path.write_text(text.replace("best found", "best sought", 1))
    wrong = saflex("probe", "--check")
    assert wrong.exit_code == 1
    assert "tiny.md:" in wrong.stderr
    printed = saflex("probe", "tiny", "--table")
    assert printed.stdout == text
    assert path.read_text() == text


def test_nothing_made_yet(saflex: Saflex, made: Path) -> None:
    shutil.rmtree(made / "results")
    assert saflex("probe", "--check").stdout == "tiny: not written; 0 of 2 records are there\n"
    result = saflex("probe", "tiny", "--table")
    assert (result.exit_code, "no record is packed yet" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["probe"], 2, "name a probe"),
        (["probe", "--check", "--table"], 2, "--check takes no other option"),
        (["probe", "tinny"], 1, "no probe 'tinny'; did you mean tiny?"),
        (["probe", "base-digits"], 1, "no probe 'base-digits'"),
        (["probe", "recipes/study/base-digits.yaml"], 1, "is no probe: it has no key probe"),
        (["train", "recipes/study/tiny.yaml"], 1, "is a probe; run it with: saflex probe"),
    ],
)
def test_wrong_words(saflex: Saflex, made: Path, words: list[str], code: int, said: str) -> None:
    result = saflex(*words)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert made.is_dir()


def test_without_the_extra_it_says_what_to_install(saflex: Saflex, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "find_spec", lambda _name: None)
    result = saflex("probe", "tiny")
    assert (result.exit_code, "pip install 'saflex[study]'" in result.stderr) == (1, True)
    assert made.is_dir()


def test_a_figure_of_knowledge(saflex: Saflex, made: Path) -> None:
    write_probe(made, name="other", probe=CONTENT["probe"] | {"epochs": [2]}, seeds=[0], methods=[{"name": "upstream"}])
    assert saflex("probe", "tiny", "--device", "cpu").exit_code == 0
    assert (made / "results/probes/other.png").stat().st_size > 10_000
