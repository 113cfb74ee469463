"""What whole training epochs cost, loader and augmentation included: `results/bench/epoch/<recipe>.json`."""

from pathlib import Path
from statistics import median
from typing import Annotated, Any

from pydantic import Field

from saflex_cli.store.claims.text_facts import OVERHEAD_MIXUP, OVERHEAD_RANDAUGMENT, OVERHEAD_TABULAR
from saflex_cli.store.performance.files import Machine
from saflex_cli.store.report import Record

BASELINE = "upstream"
PUBLISHED = {
    "randaugment": OVERHEAD_RANDAUGMENT,
    "mixup": OVERHEAD_MIXUP,
    "cell_cutmix": OVERHEAD_TABULAR,
    "column_cutmix": OVERHEAD_TABULAR,
}
"""The paper's overhead of an epoch in percent, by augmentation."""


class EpochCost(Record):
    """One method."""

    method: str
    config_hash: str
    seconds: tuple[float, ...]
    """Per epoch, one value per round."""


class RunCost(Record):
    """Whole runs of the upstream, start-up excluded: training, validation, selection; and the same run by hand."""

    epochs: Annotated[int, Field(ge=1)]
    program: tuple[float, ...]
    """Seconds of `saflex_cli.train`'s loop, with its checkpoints; one value per round."""
    by_hand: tuple[float, ...]
    """Seconds of `saflex_cli.experiment.plain_loop`."""

    def ratios(self) -> list[float]:
        """The program over the loop by hand, round by round."""
        return [program / by_hand for program, by_hand in zip(self.program, self.by_hand, strict=True)]


class EpochBenchmark(Record):
    """Epochs of the upstream and of the recipe's SAFLEX methods, in turns in one process; no validation."""

    recipe: str
    data: dict[str, Any]
    model: dict[str, Any]
    augmenter: list[dict[str, Any]]
    train: dict[str, Any]
    batches: Annotated[int, Field(ge=1)]
    """Training steps of an epoch."""
    epochs: Annotated[int, Field(ge=1)]
    """Of every method in every round."""
    costs: tuple[EpochCost, ...]
    run: RunCost | None
    """None where it was not measured."""
    machine: Machine

    def overheads(self, method: str) -> list[float]:
        """Percent that an epoch takes longer than one of the upstream, round by round."""
        seconds = {cost.method: cost.seconds for cost in self.costs}
        pairs = zip(seconds[method], seconds[BASELINE], strict=True)
        return [100 * own / base - 100 for own, base in pairs]

    def summary(self, method: str) -> tuple[float, float, float]:
        """Median, smallest and largest overhead in percent."""
        overheads = self.overheads(method)
        return median(overheads), min(overheads), max(overheads)

    @property
    def published(self) -> int | None:
        """The paper's overhead in percent for this augmentation; None where it states none."""
        return next((PUBLISHED[step["name"]] for step in self.augmenter if step["name"] in PUBLISHED), None)


def epoch_folder(results: Path) -> Path:
    """`results/bench/epoch`."""
    return results / "bench" / "epoch"


def epoch_path(results: Path, recipe: str) -> Path:
    """`results/bench/epoch/<recipe>.json`."""
    return epoch_folder(results) / f"{recipe}.json"
