"""Peak memory is that of a process which does nothing else."""

import io
import json
import sys
from pathlib import Path

import pytest

from saflex_cli.errors import TrainingError
from saflex_cli.experiment.costs import child, memory
from saflex_cli.experiment.costs.memory import peaks_of_processes
from saflex_cli.experiment.costs.variants import make_variants
from tests.recipes import make_recipe


def test_the_most_is_no_less_than_now() -> None:
    assert child.resident("VmHWM") >= child.resident("VmRSS") > 10 * 2**20


def test_where_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(child, "_STATUS", tmp_path / "gone")
    assert child.resident("VmRSS") == child.resident("VmHWM") > 10 * 2**20


def test_the_child_says_peak_and_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = make_variants(make_recipe(tmp_path)).recipes["head_b4_k4"].model_dump(mode="json")
    job = {"name": "head_b4_k4", "recipe": recipe, "root": None, "steps": 1, "threads": 1}
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(job)))
    monkeypatch.setattr(child, "_forget_peak", lambda: None)
    child.main()
    peak, before = json.loads(capsys.readouterr().out)
    assert peak >= before > 10 * 2**20


@pytest.mark.slow
def test_processes_are_measured_one_by_one(tmp_path: Path) -> None:
    recipes = make_variants(make_recipe(tmp_path)).recipes
    found = peaks_of_processes({"no_aug": recipes["no_aug"]}, None, repeats=2, steps=1)
    assert len(found["no_aug"].peak) == len(found["no_aug"].before) == 2
    assert min(found["no_aug"].before) > 10 * 2**20


def test_a_process_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_CHILD", "saflex_cli.gone")
    recipes = make_variants(make_recipe(tmp_path)).recipes
    with pytest.raises(TrainingError, match=r"memory of no_aug failed: .*No module named saflex_cli\.gone"):
        peaks_of_processes({"no_aug": recipes["no_aug"]}, None, repeats=1, steps=1)
