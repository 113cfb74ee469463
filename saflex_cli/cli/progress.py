"""How a launch looks while it goes on: bars on a terminal, one line per finished run elsewhere."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from saflex_cli.cli.console import message, stdout
from saflex_cli.config.metrics import METRIC_NAMES, printed
from saflex_cli.config.schema import Selection
from saflex_cli.launch.jobs import Advanced, Event, Job, Outcome, Started
from saflex_cli.store.report import Report

BAR_NEEDS = 80
"""Columns of a terminal from which on there is room for bars beside the words."""


@contextmanager
def watch(jobs: Sequence[Job]) -> Iterator[Callable[[Event], None]]:
    """Show the events of a launch; give them to the function that this yields."""
    console = stdout()
    lines = _Lines(jobs, console)
    if not console.is_terminal:
        yield lines
        return
    name, status = (TextColumn(f"{{task.{field}}}", markup=False) for field in ("description", "fields[status]"))
    bar = [BarColumn(bar_width=20)] if console.width >= BAR_NEEDS else []
    # Epochs may take longer than the half minute over which rich measures speed by default.
    with Progress(
        name, *bar, status, TimeRemainingColumn(compact=True), console=console, speed_estimate_period=math.inf
    ) as progress:
        yield _Bars(jobs, progress, lines)


def summary(report: Report, selection: Selection) -> str:
    """`val 96.0, test 95.1 (selected epoch 31), 4.2 s`: accuracies in percent, or what else selects, named."""
    scores = report.selected or report.last
    metric = printed(selection.metric)
    name = "" if metric == "accuracy" else f"{METRIC_NAMES[metric]} "
    val = f"val {100 * getattr(scores.val, metric):.1f}, " if scores.val else ""
    state = "selected" if report.selected else "last"
    test = f"test {100 * getattr(scores.test, metric):.1f} ({state} epoch {scores.epoch})"
    return f"{name}{val}{test}, {report.timing.total_seconds:.1f} s"


class _Lines:
    """One line for every run that ends."""

    def __init__(self, jobs: Sequence[Job], console: Console) -> None:
        self.total = len(jobs)
        self.ended = 0
        self._several = len({job.recipe.name for job in jobs}) > 1
        self._console = console

    def __call__(self, event: Event) -> None:
        if not isinstance(event, Outcome):
            return
        self.ended += 1
        count = f"{self.ended}/{self.total} {self.name(event.job)}"
        if event.report is not None:
            line = f"done {count}: {summary(event.report, event.job.recipe.selection)}"
        else:
            line = f"failed {count}: {message(event.error).splitlines()[0] if event.error else ''}"
        self._console.print(line, soft_wrap=True)

    def name(self, job: Job) -> str:
        """The job in short: the recipe is named only where there are several."""
        return str(job) if self._several else f"{job.method} seed {job.seed}"


class _Bars:
    """A bar for the whole launch, one for each run under way, and above them a line for every run that ends."""

    def __init__(self, jobs: Sequence[Job], progress: Progress, lines: _Lines) -> None:
        self._progress = progress
        self._lines = lines
        self._epochs = {str(job): 0 for job in jobs}
        self._bars: dict[str, TaskID] = {}
        self._all = progress.add_task("all runs", total=sum(job.recipe.train.epochs for job in jobs), status="")
        self._show_total()

    def __call__(self, event: Event) -> None:
        key, epochs = str(event.job), event.job.recipe.train.epochs
        match event:
            case Started():
                self._bars[key] = self._progress.add_task(self._lines.name(event.job), total=epochs, status="starting")
            case Advanced(progress=news):
                status = f"epoch {news.epoch}/{epochs}, {news.steps_per_second:.3g} steps/s"
                self._progress.update(self._bars[key], completed=news.epoch, status=status)
                self._epochs[key] = news.epoch
            case Outcome():
                self._progress.remove_task(self._bars.pop(key))
                self._epochs[key] = epochs
        self._lines(event)
        self._show_total()

    def _show_total(self) -> None:
        status = f"{self._lines.ended}/{self._lines.total} runs"
        self._progress.update(self._all, completed=sum(self._epochs.values()), status=status)
