"""The command line's manners: help at once, errors in one message, exit codes."""

import os
import subprocess
import sys

import pytest

from saflex_cli import __version__
from saflex_cli.cli import catalogue, main
from saflex_cli.errors import DataError
from tests.cli.conftest import Saflex

pytestmark = pytest.mark.usefixtures("project")

COMMANDS = ("train", "eval", "show", "table", "recipes", "data", "doctor")
BENCHMARKS = ("methods", "overhead", "epoch", "profile", "sweep", "together", "page")
HELP_OF_BENCHMARKS = [["bench", "--help"], *(["bench", name, "--help"] for name in BENCHMARKS)]
HEAVY = ("torch", "torchvision", "numpy", "scipy", "sklearn", "yaml")

HELP_WITHOUT_HEAVY_IMPORTS = f"""
import sys
from saflex_cli.cli.main import app
try:
    app(sys.argv[1:], prog_name="saflex")
except SystemExit as end:
    assert end.code == 0, end.code
loaded = [name for name in {HEAVY!r} if name in sys.modules]
assert not loaded, loaded
"""


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS), *HELP_OF_BENCHMARKS]
)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HELP_WITHOUT_HEAVY_IMPORTS, *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS), *HELP_OF_BENCHMARKS])
def test_every_help_has_examples(saflex: Saflex, words: list[str]) -> None:
    result = saflex(*words)
    assert result.exit_code == 0
    _, examples = result.stdout.split("Examples:\n")
    lines = examples.strip().splitlines()
    assert lines
    assert all(line.strip().startswith(" ".join(["saflex", *words[:-1]])) for line in lines)


def test_the_commands_are_all_there(saflex: Saflex) -> None:
    help_text = saflex("--help").stdout
    assert all(f"\n  {name} " in help_text for name in COMMANDS)


def test_version(saflex: Saflex) -> None:
    assert saflex("--version").stdout == f"saflex {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        ["nothing"],
        ["train"],
        ["train", "tests/digits", "--jobs", "0"],
        ["train", "tests/digits", "--seed", "-1"],
        ["train", "tests/digits", "--device", "abacus"],
        ["eval", "tests/digits"],
        ["eval", "last.safetensors", "--seed", "0"],
        ["eval", "tests/digits", "--method", "saflex", "--seed", "0"],
        ["show", "tests/digits"],
        ["show", "tests/digits", "--method", "saflex"],
        ["show", "tests/digits", "--method", "upstream", "--samples", "0"],
        ["show", "tests/digits", "--method", "upstream", "--to", "picture.pdf"],
        ["table"],
        ["table", "one", "--format", "pdf"],
    ],
)
def test_wrong_usage_is_exit_code_2(saflex: Saflex, words: list[str]) -> None:
    result = saflex(*words)
    assert result.exit_code == 2
    assert "Usage: saflex" in result.stderr
    assert "Traceback" not in result.output


def test_a_users_error_is_one_message(saflex: Saflex) -> None:
    result = saflex("train", "tests/digit")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "error: no table or recipe 'tests/digit'; did you mean tests/digits?\n"


def test_a_message_is_not_wrapped_and_its_brackets_stand(saflex: Saflex, monkeypatch: pytest.MonkeyPatch) -> None:
    message = "methods[2].preset: " + "long " * 60 + "[bold]"
    monkeypatch.setattr(catalogue, "roots", lambda: _raise(DataError(message)))
    assert saflex("recipes").stderr == f"error: {message}\n"


def test_debug_shows_where(saflex: Saflex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFLEX_DEBUG", "1")
    result = saflex("train", "tests/digit")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert "catalogue.py" in result.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("train", "interrupted; finished runs are kept, run the same command again to go on\n"),
        ("recipes", "interrupted\n"),
    ],
)
def test_interrupted_is_exit_code_130(saflex: Saflex, monkeypatch: pytest.MonkeyPatch, command: str, said: str) -> None:
    monkeypatch.setattr(catalogue, "roots", lambda: _raise(KeyboardInterrupt()))
    result = saflex(command, *(["tests/digits"] if command == "train" else []))
    assert (result.exit_code, result.stderr) == (130, said)


def test_a_fault_of_ours_is_a_short_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(catalogue, "roots", lambda: _raise(KeyError("surprise")))
    monkeypatch.setattr(sys, "argv", ["saflex", "recipes"])
    with pytest.raises(SystemExit) as end:
        main.main()
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("error: unexpected KeyError: 'surprise'\n")
    assert "SAFLEX_DEBUG=1" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(("typed", "offered"), [("tr", "train"), ("train tests/", "tests/digits"), ("table o", "one")])
def test_the_shell_completes(typed: str, offered: str) -> None:
    words = f"saflex {typed}"
    request = {"_SAFLEX_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    script = "from saflex_cli.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=os.environ | request
    )
    assert (done.stdout.splitlines(), done.stderr) == ([offered], "")


def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    script = "import sys; from saflex_cli.cli.main import main; sys.argv = ['saflex', 'recipes']; main()"
    done = subprocess.run([sys.executable, "-c", script], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.stderr == ""


def _raise(error: BaseException) -> None:
    raise error
