"""Which method of a study its rule chooses: cheap enough, in the fewest cells clearly below, and best in rank."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from saflex_cli.config.schema import SaflexMethod
from saflex_cli.config.study import Study
from saflex_cli.config.study_config import ChoiceConfig
from saflex_cli.errors import ResultsError
from saflex_cli.store.bench import bench_path, read_benchmark
from saflex_cli.store.studies.table import StudyData, Versus


@dataclass(frozen=True)
class Candidate:
    """A method that the rule looks at."""

    label: str
    cost: float
    """Of a training step, relative to the upstream's; median over rounds."""
    below: tuple[str, ...]
    """Cells in which it is significantly below one of the opponents that it may not be below."""
    rank: float
    """Mean over the cells."""


@dataclass(frozen=True)
class Choice:
    """What the rule says."""

    config: ChoiceConfig
    candidates: tuple[Candidate, ...]
    """Best first: the first one is chosen."""
    too_dear: tuple[tuple[str, float], ...]
    """Methods with Π that cost more than the rule allows, with their cost."""


def choose(data: StudyData, results: Path) -> Choice | None:
    """Apply the study's rule; None where it has none, or where the study is not whole.

    Raises:
        ResultsError: if the costs have not been measured.
    """
    config = data.study.choice
    if config is None or not data.is_complete:
        return None
    costs = _costs(config, _with_alignment(data.study), results)
    affordable = [label for label, cost in costs.items() if cost <= config.cost]
    ranks, _ = data.mean_ranks()
    candidates = [
        Candidate(label, costs[label], _below(data, label, config.not_below), ranks[label])
        for label in affordable
        if label in ranks
    ]
    return Choice(
        config,
        tuple(sorted(candidates, key=lambda candidate: (len(candidate.below), candidate.rank))),
        tuple((label, cost) for label, cost in costs.items() if cost > config.cost),
    )


def _with_alignment(study: Study) -> list[str]:
    """Methods that use Π on the refined batch alone, in order."""
    methods = {method.label: method for cell in study.cells for method in cell.recipe.methods}
    return [
        label
        for label, method in methods.items()
        if isinstance(method, SaflexMethod) and not method.clean_batch and method.resolved_settings().needs_outer
    ]


def _costs(config: ChoiceConfig, labels: list[str], results: Path) -> dict[str, float]:
    benchmark = read_benchmark(bench_path(results, config.bench))
    measured = {cost.method for cost in benchmark.costs}
    if lacking := [label for label in labels if label not in measured]:
        raise ResultsError(
            f"the rule of the study needs the cost of {', '.join(lacking)}: "
            f"`saflex bench methods {config.bench} --write` measures it"
        )
    return {label: benchmark.summary(label)[0] for label in labels}


def _below(data: StudyData, label: str, opponents: tuple[str, ...]) -> tuple[str, ...]:
    def loses(versus: Mapping[str, Versus]) -> bool:
        found = (versus[opponent] for opponent in opponents if opponent in versus)
        return any(one.is_significant and one.difference.mean < 0 for one in found)

    there = (cell for cell in data.cells if label in cell.results)
    return tuple(cell.cell.name for cell in there if loses(cell.results[label].versus))
