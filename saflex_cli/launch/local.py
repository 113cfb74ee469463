"""Runs on this machine, one after another or side by side. Knows where runs execute, nothing of what they do."""

import os
from collections.abc import Callable, Sequence

import torch

from saflex_cli.experiment import Places, run_one
from saflex_cli.launch.jobs import Advanced, Event, Job, Outcome, Run, Started, Task
from saflex_cli.launch.processes import execute_in_children


def _ignore(_event: Event) -> None:
    pass


def launch(
    jobs: Sequence[Job],
    *,
    places: Places,
    workers: int = 1,
    device: str = "auto",
    force: bool = False,
    on_event: Callable[[Event], None] = _ignore,
    run: Run = run_one,
) -> list[Outcome]:
    """Execute jobs; one that fails does not stop the others.

    Args:
        jobs: What to run.
        places: Where results, checkpoints and data lie.
        workers: Runs side by side, each with its share of the cores; with one, everything happens in this process.
        device: As for `run_one`.
        force: Run even where a report exists.
        on_event: Called in this process when a job starts, advances and ends.
        run: What makes one run; with several workers, a function that can be imported.

    Returns:
        One outcome per job, in the order of the jobs.

    Raises:
        TrainingError: if a child process dies.
        KeyboardInterrupt: on Ctrl-C, once no child is left. Finished runs are kept.
    """
    task = Task(run=run, places=places, device=device, force=force)
    threads = threads_per_run(workers)
    if min(workers, len(jobs)) > 1:
        return execute_in_children(jobs, task, min(workers, len(jobs)), threads, on_event)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return [_execute(job, task, on_event) for job in jobs]
    finally:
        torch.set_num_threads(before)


def threads_per_run(workers: int) -> int:
    """An even share of the cores, at most what torch is set to (OMP_NUM_THREADS).

    A function of what was asked for, not of how many jobs are left: the last digits of a result depend on the number of
    threads, and a launch that was stopped must end as if it had not been.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(torch.get_num_threads(), max(1, cores // workers))


def _execute(job: Job, task: Task, on_event: Callable[[Event], None]) -> Outcome:
    on_event(Started(job, os.getpid()))
    try:
        report = task(job, lambda progress: on_event(Advanced(job, progress)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other runs go on
        outcome = Outcome(job, error=error)
    else:
        outcome = Outcome(job, report=report)
    on_event(outcome)
    return outcome
