"""Runs on this machine, one after another or side by side. Knows where runs execute, nothing of what they do."""

import os
from collections.abc import Callable, Sequence

import torch

from saflex_cli.experiment import Places, run_one
from saflex_cli.launch.jobs import (
    Advanced,
    Event,
    Job,
    Outcome,
    Program,
    Run,
    RunTogether,
    Started,
    Task,
    cells,
    outcomes,
)
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
    together: RunTogether | None = None,
) -> list[Outcome]:
    """Execute jobs; one that fails does not stop the others.

    Args:
        jobs: What to run.
        places: Where results, checkpoints and data lie.
        workers: Programs side by side, each with its share of the cores; with one, everything happens in this process.
        device: As for `run_one`.
        force: Run even where a report exists.
        on_event: Called in this process when a job starts, advances and ends.
        run: What makes one run; with several workers, a function that can be imported.
        together: What makes all runs of one recipe and method in one program, if they are to be made so; likewise.

    Returns:
        One outcome per job, in the order of the programs: that of the jobs, cell by cell where seeds go together.

    Raises:
        TrainingError: if a child process dies.
        KeyboardInterrupt: on Ctrl-C, once no child is left. Finished runs are kept.
    """
    task = Task(run=run, together=together, places=places, device=device, force=force)
    programs = [(job,) for job in jobs] if together is None else cells(jobs)
    threads = threads_per_run(workers)
    if min(workers, len(programs)) > 1:
        return execute_in_children(programs, task, min(workers, len(programs)), threads, on_event)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return [outcome for program in programs for outcome in _execute(program, task, on_event)]
    finally:
        torch.set_num_threads(before)


def threads_per_run(workers: int) -> int:
    """An even share of the cores, at most what torch is set to (OMP_NUM_THREADS).

    A function of what was asked for, not of how many jobs are left: the last digits of a result depend on the number of
    threads, and a launch that was stopped must end as if it had not been.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(torch.get_num_threads(), max(1, cores // workers))


def _execute(program: Program, task: Task, on_event: Callable[[Event], None]) -> list[Outcome]:
    jobs = {job.seed: job for job in program}
    for job in program:
        on_event(Started(job, os.getpid()))
    try:
        ended = outcomes(program, task(program, lambda news: on_event(Advanced(jobs[news.seed], news))))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other runs go on
        ended = outcomes(program, error)
    for outcome in ended:
        on_event(outcome)
    return ended
