"""Runs in this process: events, failures, order."""

import os
from pathlib import Path

import pytest
import torch

from saflex_cli.errors import TrainingError
from saflex_cli.experiment import Places
from saflex_cli.launch.jobs import Advanced, Event, Job, Outcome, Started
from saflex_cli.launch.local import launch, threads_per_run
from tests.launch.runs import note_down, note_together, noted
from tests.recipes import make_recipe


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(results=tmp_path / "results", runs=tmp_path / "runs")


def test_events_and_outcomes_in_order(tmp_path: Path, places: Places) -> None:
    recipe = make_recipe(tmp_path)
    jobs = [Job(recipe, "no_aug", 0), Job(recipe, "upstream", 1)]
    events: list[Event] = []
    outcomes = launch(jobs, places=places, device="cpu", force=True, on_event=events.append, run=note_down)
    assert [type(event) for event in events] == [Started, Advanced, Outcome] * 2
    assert [outcome.job for outcome in outcomes] == jobs
    assert [outcome.report.seed for outcome in outcomes if outcome.report] == [0, 1]
    notes = noted(places.results)
    assert {note["pid"] for note in notes.values()} == {os.getpid()}
    assert all(note["device"] == "cpu" and note["force"] for note in notes.values())


@pytest.mark.parametrize(("seed", "kind"), [(13, TrainingError), (14, ZeroDivisionError)])
def test_a_run_that_fails_does_not_stop_the_others(
    tmp_path: Path, places: Places, seed: int, kind: type[Exception]
) -> None:
    recipe = make_recipe(tmp_path)
    failed, fine = launch([Job(recipe, "no_aug", seed), Job(recipe, "no_aug", 0)], places=places, run=note_down)
    assert isinstance(failed.error, kind)
    assert failed.report is None
    assert fine.error is None
    assert fine.report is not None


def test_one_job_needs_no_second_process(tmp_path: Path, places: Places) -> None:
    [outcome] = launch([Job(make_recipe(tmp_path), "no_aug", 0)], places=places, workers=4, run=note_down)
    assert outcome.report is not None
    assert noted(places.results)["no_aug-0"]["pid"] == os.getpid()


def test_threads_depend_on_what_was_asked_for_and_not_on_what_is_left(
    tmp_path: Path, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A launch that was stopped ends as if it had not been: the last digits of a result depend on the threads."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)), raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(8)
    try:
        assert [threads_per_run(workers) for workers in (1, 2, 3, 16)] == [8, 4, 2, 1]
        launch([Job(make_recipe(tmp_path), "no_aug", 0)], places=places, workers=4, run=note_down)
        assert noted(places.results)["no_aug-0"]["threads"] == 2
        assert torch.get_num_threads() == 8
        torch.set_num_threads(1)
        assert threads_per_run(2) == 1
    finally:
        torch.set_num_threads(before)


def test_nothing_to_do(places: Places) -> None:
    assert launch([], places=places, workers=2, run=note_down) == []


def test_ctrl_c_is_passed_on(tmp_path: Path, places: Places) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, Advanced):
            raise KeyboardInterrupt

    jobs = [Job(make_recipe(tmp_path), "no_aug", 0)]
    with pytest.raises(KeyboardInterrupt):
        launch(jobs, places=places, on_event=interrupt, run=note_down)


def test_seeds_together_are_one_program_with_an_outcome_for_each(tmp_path: Path, places: Places) -> None:
    recipe = make_recipe(tmp_path)
    jobs = [Job(recipe, method, seed) for seed in (0, 13, 1) for method in ("no_aug", "upstream")]
    events: list[Event] = []
    outcomes = launch(jobs, places=places, device="cpu", on_event=events.append, together=note_together)
    ordered = [Job(recipe, method, seed) for method in ("no_aug", "upstream") for seed in (0, 13, 1)]
    assert [outcome.job for outcome in outcomes] == ordered
    assert [outcome.report is None for outcome in outcomes] == [False, True, False] * 2
    assert [type(event) for event in events] == [*[Started] * 3, *[Advanced] * 3, *[Outcome] * 3] * 2
    assert [event.progress.seed for event in events if isinstance(event, Advanced)] == [0, 13, 1] * 2
    assert all(event.job.seed == event.progress.seed for event in events if isinstance(event, Advanced))


def test_a_program_that_fails_fails_all_its_jobs_and_no_other(tmp_path: Path, places: Places) -> None:
    recipe = make_recipe(tmp_path)
    jobs = [Job(recipe, "no_aug", 0), Job(recipe, "no_aug", 14), Job(recipe, "upstream", 0)]
    outcomes = launch(jobs, places=places, together=note_together)
    assert [type(outcome.error) for outcome in outcomes] == [ZeroDivisionError, ZeroDivisionError, type(None)]
