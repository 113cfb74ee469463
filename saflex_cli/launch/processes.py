"""Jobs in child processes that share the cores, die with their parent, and leave Ctrl-C to it."""

import os
import signal
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.process import BaseProcess
from multiprocessing.queues import SimpleQueue

import torch

from saflex_cli.errors import TrainingError
from saflex_cli.experiment import Progress
from saflex_cli.launch.jobs import Advanced, Event, Job, Outcome, Program, Result, Started, Task, outcomes

POLL_SECONDS = 0.1
"""How long a message from a child may wait."""

Message = tuple[int, int | Progress]
"""Index of a program with its process id (it has begun) or the progress of one of its jobs. Small enough for a pipe to
take it whole or not at all, so that a killed child leaves no half message behind."""


# --- in the parent ---------------------------------------------------------------------------------------------------


def execute_in_children(
    programs: Sequence[Program], task: Task, workers: int, threads: int, on_event: Callable[[Event], None]
) -> list[Outcome]:
    """Execute programs in `workers` child processes of `threads` threads each; see `saflex_cli.launch.local.launch`."""
    spawn = get_context("spawn")
    messages: SimpleQueue[Message] = spawn.SimpleQueue()
    others = set(active_children())
    pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_set_up, initargs=(messages, threads))
    try:
        with _interrupts_ignored():  # a child inherits this, so that Ctrl-C cannot break into its first imports
            futures = {pool.submit(_work, index, program, task): index for index, program in enumerate(programs)}
        return _follow(programs, futures, set(active_children()) - others, messages, on_event)
    finally:
        for child in set(active_children()) - others:  # what is finished lies on disk: a child needs no time to end
            child.terminate()
        pool.shutdown(cancel_futures=True)


def _follow(
    programs: Sequence[Program],
    futures: Mapping[Future[Sequence[Result]], int],
    children: Collection[BaseProcess],
    messages: "SimpleQueue[Message]",
    on_event: Callable[[Event], None],
) -> list[Outcome]:
    running: dict[int, Program] = {}
    ended: dict[int, list[Outcome]] = {}
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        while not messages.empty():
            index, news = messages.get()
            if isinstance(news, int):
                running[index] = programs[index]
                for job in programs[index]:
                    on_event(Started(job, pid=news))
            else:
                [advanced] = [job for job in programs[index] if job.seed == news.seed]
                on_event(Advanced(advanced, news))
        # The pool notices a dead child too, but not always before the next result.
        if not all(child.is_alive() for child in children) or any(_is_broken(future) for future in done):
            raise _death(job for program in running.values() for job in program)
        for future in done:
            index, error = futures[future], future.exception()
            ended[index] = outcomes(programs[index], error or future.result())
            running.pop(index, None)
            for outcome in ended[index]:
                on_event(outcome)
    return [outcome for index in range(len(programs)) for outcome in ended[index]]


def _is_broken(future: Future[Sequence[Result]]) -> bool:
    return isinstance(future.exception(), BrokenProcessPool)


def _death(running: Iterable[Job]) -> TrainingError:
    return TrainingError(
        f"a worker died (out of memory?) during {', '.join(map(str, running)) or 'its start'}; "
        "run the same command again, perhaps with fewer --jobs: finished runs are kept"
    )


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set signals
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# --- in a child ------------------------------------------------------------------------------------------------------

_outbox: "SimpleQueue[Message] | None" = None


def _set_up(messages: "SimpleQueue[Message]", threads: int) -> None:
    global _outbox  # noqa: PLW0603 - a queue reaches a pool's workers only through their initializer
    _outbox = messages
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """Without this, a killed parent leaves children that go on training beside the next command."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(index: int, program: Program, task: Task) -> Sequence[Result]:
    _tell(index, os.getpid())
    return task(program, lambda progress: _tell(index, progress))


def _tell(index: int, news: int | Progress) -> None:
    if _outbox is not None:
        _outbox.put((index, news))
