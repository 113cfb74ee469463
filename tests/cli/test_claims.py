"""`saflex claims`: printed, written, checked."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Saflex

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "recipes" / "tables" / "published.csv"


@pytest.fixture(autouse=True)
def _numbers(project: Path) -> None:
    shutil.copy(PUBLISHED, project / "recipes" / "tables")


def test_printed(saflex: Saflex) -> None:
    result = saflex("claims")
    assert result.exit_code == 0
    assert result.stdout.startswith("# The paper's claims, recomputed\n")
    assert "*ours*: none yet" in result.stdout
    assert not Path("docs").exists()


def test_write_then_check(saflex: Saflex) -> None:
    missing = saflex("claims", "--check")
    assert missing.exit_code == 1
    assert "docs/claims.md: cannot be read" in missing.stderr
    assert saflex("claims", "--write").stderr == "wrote docs/claims.md\n"
    assert Path("docs/claims.md").read_text() == saflex("claims").stdout
    checked = saflex("claims", "--check")
    assert (checked.exit_code, checked.stdout) == (0, "docs/claims.md: as the numbers say\n")


def test_an_edited_verdict_is_found(saflex: Saflex) -> None:
    saflex("claims", "--write")
    path = Path("docs/claims.md")
    path.write_text(path.read_text().replace("Every augmentation improves: false", "Every augmentation improves: true"))
    result = saflex("claims", "--check")
    assert result.exit_code == 1
    assert "improves: true" in result.stderr
    assert "improves: false" in result.stderr
    assert "`saflex claims --write` writes it anew" in result.stderr


def test_a_changed_number_is_found(saflex: Saflex) -> None:
    saflex("claims", "--write")
    path = Path("recipes/tables/published.csv")
    path.write_text(path.read_text().replace("qsar,saint,saflex_cutmix,98.59", "qsar,saint,saflex_cutmix,98.69"))
    assert saflex("claims", "--check").exit_code == 1


def test_wrong_use(saflex: Saflex, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert saflex("claims", "--check", "--write").exit_code == 2
    monkeypatch.chdir(tmp_path)
    result = saflex("claims")
    assert result.exit_code == 1
    assert "run this in the project's folder" in result.stderr


def test_torch_is_not_loaded() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from saflex_cli.cli.main import app;"
        "result = CliRunner().invoke(app, ['claims']); assert result.exit_code == 0, result.output;"
        "sys.exit('torch' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], check=False, env=environment).returncode == 0
