"""Runs in child processes. Slow: every child imports torch."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path

import pytest

from saflex_cli.errors import TrainingError
from saflex_cli.experiment import Places
from saflex_cli.launch.jobs import Advanced, Event, Job, Outcome, Started
from saflex_cli.launch.local import launch
from tests.launch.runs import note_down, note_together, noted
from tests.recipes import make_recipe

pytestmark = pytest.mark.slow

STARTED_AND_ABANDONED = """
import sys
from pathlib import Path
from saflex_cli.experiment import Places
from saflex_cli.launch.jobs import Job, Started
from saflex_cli.launch.local import launch
from tests.launch.runs import note_down
from tests.recipes import make_recipe

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    recipe = make_recipe(folder)
    jobs = [Job(recipe, "no_aug", 9), Job(recipe, "upstream", 9)]
    tell = lambda event: isinstance(event, Started) and print(event.pid, flush=True)
    launch(jobs, places=Places(folder / "results", folder / "runs"), workers=2, on_event=tell, run=note_down)
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(results=tmp_path / "results", runs=tmp_path / "runs")


def test_events_outcomes_and_shared_cores(tmp_path: Path, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    recipe = make_recipe(tmp_path)
    jobs = [Job(recipe, "no_aug", 0), Job(recipe, "no_aug", 13), Job(recipe, "no_aug", 14), Job(recipe, "no_aug", 1)]
    events: list[Event] = []
    outcomes = launch(jobs, places=places, workers=2, device="cpu", on_event=events.append, run=note_down)

    assert [outcome.job for outcome in outcomes] == jobs
    assert [type(outcome.error) for outcome in outcomes] == [type(None), TrainingError, ZeroDivisionError, type(None)]
    for job in jobs:
        assert [type(event) for event in events if event.job == job] == [Started, Advanced, Outcome]
    notes = noted(places.results)
    assert os.getpid() not in {note["pid"] for note in notes.values()}
    assert {event.pid for event in events if isinstance(event, Started)} == {note["pid"] for note in notes.values()}
    assert all(note["threads"] <= max(1, (os.cpu_count() or 1) // 2) for note in notes.values())
    assert all(note["ignores_interrupts"] for note in notes.values())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert active_children() == []


def test_seeds_together_side_by_side(tmp_path: Path, places: Places) -> None:
    recipe = make_recipe(tmp_path)
    jobs = [Job(recipe, method, seed) for method in ("no_aug", "upstream", "other") for seed in (0, 13)]
    jobs += [Job(recipe, "other", 14)]
    events: list[Event] = []
    outcomes = launch(jobs, places=places, workers=2, on_event=events.append, together=note_together)
    assert [outcome.job for outcome in outcomes] == jobs
    failed = [type(outcome.error) for outcome in outcomes]
    assert failed == [type(None), TrainingError, type(None), TrainingError, *[ZeroDivisionError] * 3]
    for job in jobs:
        assert [type(event) for event in events if event.job == job] == [Started, Advanced, Outcome]
    notes = noted(places.results)
    assert len({notes[f"no_aug-{seed}"]["pid"] for seed in (0, 13)}) == 1


def test_a_killed_child_is_named(tmp_path: Path, places: Places) -> None:
    recipe = make_recipe(tmp_path)
    jobs = [Job(recipe, "no_aug", 66), Job(recipe, "upstream", 9)]
    with pytest.raises(TrainingError, match=r"a worker died .* during .*no_aug seed 66.* run the same command again"):
        launch(jobs, places=places, workers=2, run=note_down)
    assert active_children() == []


def test_ctrl_c_stops_the_children_at_once(tmp_path: Path, places: Places) -> None:
    recipe = make_recipe(tmp_path)
    pids: list[int] = []

    def interrupt(event: Event) -> None:
        if isinstance(event, Started):
            pids.append(event.pid)
        if len(pids) == 2:
            raise KeyboardInterrupt

    jobs = [Job(recipe, "no_aug", 9), Job(recipe, "upstream", 9), Job(recipe, "no_aug", 0)]
    with pytest.raises(KeyboardInterrupt):
        launch(jobs, places=places, workers=2, on_event=interrupt, run=note_down)
    assert not any(map(_is_alive, pids))
    assert active_children() == []


def test_children_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(STARTED_AND_ABANDONED)
    root = str(Path(__file__).parents[2])
    parent = subprocess.Popen(
        [sys.executable, script, tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"},
    )
    with parent:
        assert parent.stdout is not None
        pids = [int(parent.stdout.readline()) for _ in range(2)]
        parent.kill()
    deadline = time.monotonic() + 10
    while any(map(_is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_is_alive, pids))


def _is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended but not been waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")
