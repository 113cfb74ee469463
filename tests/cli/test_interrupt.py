"""Ctrl-C and kill in the middle of real training. Slow: real processes import torch."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Saflex

pytestmark = pytest.mark.slow

COMMAND = (sys.executable, "-c", "from saflex_cli.cli.main import main; main()")


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_keeps_finished_runs_and_the_same_command_goes_on(saflex: Saflex, project: Path, jobs: int) -> None:
    path = project / "recipes/tests/digits.yaml"
    path.write_text(path.read_text().replace("epochs: 1", "epochs: 60"))
    words = ["train", "tests/digits", "--method", "no_aug", "--method", "upstream", "--jobs", str(jobs)]
    process = subprocess.Popen(
        [*COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    with process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("done"):
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to parent and children alike
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == "interrupted; finished runs are kept, run the same command again to go on\n"
    finished = len(list((project / "results").rglob("seed-*.json")))
    assert 1 <= finished < 4

    again = saflex(*words[:-2])
    assert again.exit_code == 0, again.output
    assert f"4 runs, {finished} already done, {4 - finished} to do" in again.stdout
    assert len(list((project / "results").rglob("seed-*.json"))) == 4
