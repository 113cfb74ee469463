"""Measured costs: seconds per training step of methods that ran in turns in one process."""

from pathlib import Path
from statistics import median, quantiles
from typing import Annotated, Any

from pydantic import Field, ValidationError

from saflex_cli.errors import ResultsError
from saflex_cli.store.files import write_text
from saflex_cli.store.report import Environment, Record


class MethodCost(Record):
    """One method."""

    method: str
    config_hash: str
    seconds: tuple[float, ...]
    """Per step, one value per round."""


class Benchmark(Record):
    """`results/bench/<recipe>.json`."""

    recipe: str
    data: dict[str, Any]
    model: dict[str, Any]
    train: dict[str, Any]
    baseline: str
    """Label of the method that the ratios refer to."""
    steps: Annotated[int, Field(ge=1)]
    """Training steps of every method in every round."""
    costs: tuple[MethodCost, ...]
    environment: Environment

    def ratios(self, method: str) -> list[float]:
        """Seconds of a method over seconds of the baseline, round by round: both ran within moments of each other."""
        seconds = {cost.method: cost.seconds for cost in self.costs}
        return [own / base for own, base in zip(seconds[method], seconds[self.baseline], strict=True)]

    def summary(self, method: str) -> tuple[float, float, float]:
        """Median ratio, and its quartiles."""
        ratios = self.ratios(method)
        if len(ratios) == 1:
            return ratios[0], ratios[0], ratios[0]
        low, _, high = quantiles(ratios, n=4, method="inclusive")
        return median(ratios), low, high


def bench_path(results: Path, recipe: str) -> Path:
    """`results/bench/<recipe>.json`."""
    return results / "bench" / f"{recipe}.json"


def write_benchmark(results: Path, benchmark: Benchmark) -> Path:
    """Write one benchmark.

    Raises:
        ResultsError: if it cannot be written.
    """
    path = bench_path(results, benchmark.recipe)
    write_text(path, benchmark.model_dump_json(indent=1) + "\n")
    return path


def read_benchmark(path: Path) -> Benchmark:
    """Read one benchmark.

    Raises:
        ResultsError: if it is missing or of another format.
    """
    try:
        return Benchmark.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read ({error.strerror}); `saflex bench` writes it") from error
    except ValidationError as error:
        raise ResultsError(f"{path}: not a whole benchmark; `saflex bench` writes it anew") from error
