"""What is executed, and what happens to it."""

from collections.abc import Callable, Sequence
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


Program = tuple[Job, ...]
"""Jobs that are made in one go: a single one, or several that differ in nothing but the seed."""


def cells(jobs: Sequence[Job]) -> list[Program]:
    """All jobs of one recipe and method in one program each, in the order of their first jobs."""
    found: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        found.setdefault((job.recipe.name, job.method), []).append(job)
    return [tuple(program) for program in found.values()]


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

Result = Report | BaseException
"""What becomes of one job."""


def outcomes(program: Program, results: Sequence[Result] | BaseException) -> list[Outcome]:
    """The outcomes of a program: job by job, or one error for all of them."""
    each = [results] * len(program) if isinstance(results, BaseException) else results
    return [
        Outcome(job, error=result) if isinstance(result, BaseException) else Outcome(job, report=result)
        for job, result in zip(program, each, strict=True)
    ]


Run = Callable[..., Report]
"""Makes one run; called as `saflex_cli.experiment.run_one` is."""
RunTogether = Callable[..., Sequence[Result]]
"""Makes the runs of one method with several seeds; called as `saflex_cli.experiment.run_together` is."""


@dataclass(frozen=True)
class Task:
    """What every program of one launch has in common."""

    run: Run
    together: RunTogether | None
    """None where every program is a single job, for `run` to make."""
    places: Places
    device: str
    force: bool

    def __call__(self, program: Program, on_progress: Callable[[Progress], None]) -> Sequence[Result]:
        """Make the runs of a program, and give what becomes of each job."""
        first, seeds = program[0], [job.seed for job in program]
        how = {"places": self.places, "device": self.device, "force": self.force, "on_progress": on_progress}
        if self.together is None:
            return [self.run(first.recipe, first.method, seed, **how) for seed in seeds]
        return self.together(first.recipe, first.method, seeds, **how)
