"""What is executed, and what happens to it."""

from collections.abc import Callable
from dataclasses import dataclass

from saflex_cli.config.schema import Recipe
from saflex_cli.experiment import Places, Progress
from saflex_cli.store.report import Report


@dataclass(frozen=True)
class Job:
    """One run: a recipe, one of its methods (by label) and a seed."""

    recipe: Recipe
    method: str
    seed: int

    def __str__(self) -> str:
        return f"{self.recipe.name} {self.method} seed {self.seed}"


@dataclass(frozen=True)
class Started:
    """A job has begun, in the process `pid`."""

    job: Job
    pid: int


@dataclass(frozen=True)
class Advanced:
    """A job has finished an epoch."""

    job: Job
    progress: Progress


@dataclass(frozen=True)
class Outcome:
    """How a job ended: with a report, or with an error."""

    job: Job
    report: Report | None = None
    error: BaseException | None = None


Event = Started | Advanced | Outcome


Run = Callable[..., Report]
"""Makes one run; called as `saflex_cli.experiment.run_one` is."""


@dataclass(frozen=True)
class Task:
    """What every job of one launch has in common."""

    run: Run
    places: Places
    device: str
    force: bool

    def __call__(self, job: Job, on_progress: Callable[[Progress], None]) -> Report:
        """Make one run and return its report."""
        return self.run(
            job.recipe,
            job.method,
            job.seed,
            places=self.places,
            device=self.device,
            force=self.force,
            on_progress=on_progress,
        )
