"""A project folder to run commands in, and a trained one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from saflex_cli.cli import catalogue
from saflex_cli.cli.main import app
from tests.recipes import write_recipe

METHODS = [
    {"name": "no_aug"},
    {"name": "upstream", "train_on": ["train", "val"]},
    {"name": "saflex", "preset": "proximal", "temperature": 0.5},
    {"name": "saflex", "preset": "paper"},
]

TABLE = """\
name: one
title: One recipe
columns:
  - {recipe: ../tests/digits.yaml, title: Digits}
rows:
  - {method: no_aug, title: nothing}
  - {method: upstream_trainval, title: upstream}
baseline: no_aug
"""

Saflex = Callable[..., Result]


def make_project(folder: Path) -> Path:
    """A recipe `tests/digits` of one short epoch, and a table `one`."""
    for part in ("tests", "tables"):
        (folder / "recipes" / part).mkdir(parents=True)
    path = write_recipe(folder, methods=METHODS, train={"epochs": 1, "batch_size": 50}, seeds=[0, 1])
    path.rename(folder / "recipes" / "tests" / "digits.yaml")
    (folder / "recipes" / "tables" / "one.yaml").write_text(TABLE)
    return folder


def run_saflex(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), prog_name="saflex")


@pytest.fixture
def saflex() -> Saflex:
    """Run a command; messages are in `stderr`, what it prints in `stdout`."""
    return run_saflex


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: recipes, and nothing run yet."""
    monkeypatch.chdir(make_project(tmp_path / "project"))
    monkeypatch.setattr(catalogue, "roots", lambda: [Path("recipes")])
    monkeypatch.delenv("SAFLEX_DATA", raising=False)
    monkeypatch.delenv("SAFLEX_DEBUG", raising=False)
    return Path.cwd()


@pytest.fixture(scope="session")
def _trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("trained") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = run_saflex("train", "tests/digits", "--method", "no_aug", "--method", "upstream")
    assert result.exit_code == 0, result.output
    (folder / "output.txt").write_text(result.stdout)
    return folder


@pytest.fixture
def trained(_trained: Path, project: Path) -> Path:
    """The same with finished runs of no_aug and upstream_trainval; what training printed is in output.txt."""
    shutil.copytree(_trained, project, dirs_exist_ok=True)
    return project
