"""Measured costs, in turns in one process: of a training step by method, of all seeds together against one by one."""

from pathlib import Path
from statistics import median, quantiles
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from saflex_cli.errors import ResultsError
from saflex_cli.store.files import write_text
from saflex_cli.store.report import Environment, Record

_TOGETHER = "-together"

Kind = TypeVar("Kind", bound=Record)


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


class CellCost(Record):
    """All seeds of one method, whole runs: data, training, validation, checkpoints and reports."""

    method: str
    config_hash: str
    one_by_one: tuple[float, ...]
    """Seconds for the runs of all seeds one after the other, one value per round."""
    together: tuple[float, ...]
    """Seconds for one program of all seeds, one value per round."""
    difference: float
    """The largest difference between the two in any reported metric of any seed: fractions, and nats for the loss."""

    def summary(self) -> tuple[float, float, float]:
        """Median, smallest and largest ratio of `one_by_one` to `together`, taken round by round."""
        ratios = [alone / together for alone, together in zip(self.one_by_one, self.together, strict=True)]
        return median(ratios), min(ratios), max(ratios)


class TogetherBenchmark(Record):
    """`results/bench/<recipe>-together.json`."""

    recipe: str
    data: dict[str, Any]
    model: dict[str, Any]
    train: dict[str, Any]
    seeds: Annotated[int, Field(ge=1)]
    """How many: 0, 1, 2 and so on."""
    cells: tuple[CellCost, ...]
    environment: Environment
    """`threads` are those of either kind of run."""


def bench_path(results: Path, recipe: str) -> Path:
    """`results/bench/<recipe>.json`."""
    return results / "bench" / f"{recipe}.json"


def together_bench_path(results: Path, recipe: str) -> Path:
    """`results/bench/<recipe>-together.json`."""
    return bench_path(results, f"{recipe}{_TOGETHER}")


def step_benchmarks(folder: Path) -> list[Path]:
    """The files of training-step benchmarks in a folder of `results/bench`, and below it."""
    return sorted(path for path in folder.rglob("*.json") if not path.stem.endswith(_TOGETHER))


def write_benchmark(results: Path, benchmark: Benchmark | TogetherBenchmark) -> Path:
    """Write one benchmark.

    Raises:
        ResultsError: if it cannot be written.
    """
    place = together_bench_path if isinstance(benchmark, TogetherBenchmark) else bench_path
    path = place(results, benchmark.recipe)
    write_text(path, benchmark.model_dump_json(indent=1) + "\n")
    return path


def read_benchmark(path: Path) -> Benchmark:
    """Read one benchmark.

    Raises:
        ResultsError: if it is missing or of another format.
    """
    return _read(path, Benchmark)


def read_together_benchmark(path: Path) -> TogetherBenchmark:
    """Read one benchmark of seeds together.

    Raises:
        ResultsError: if it is missing or of another format.
    """
    return _read(path, TogetherBenchmark)


def _read(path: Path, kind: type[Kind]) -> Kind:
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read ({error.strerror}); `saflex bench` writes it") from error
    except ValidationError as error:
        raise ResultsError(f"{path}: not a whole benchmark; `saflex bench` writes it anew") from error
