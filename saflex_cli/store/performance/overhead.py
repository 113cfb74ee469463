"""What SAFLEX itself costs on one recipe's data, model and augmentation: `results/bench/overhead/<recipe>.json`."""

from pathlib import Path
from statistics import median
from typing import Annotated, Any, Literal

from pydantic import Field

from saflex_cli.store.performance.files import Machine
from saflex_cli.store.report import Record

BASELINE = "upstream"
CLEAN = "upstream_clean"
"""What the variant `clean_pass` is held against: both train on the clean batch as well."""
PLAIN = "plain_loop"


class Peak(Record):
    """Memory of one variant, by itself; bytes, one value per repeat."""

    peak: tuple[int, ...]
    """The most that was taken."""
    before: tuple[int, ...]
    """What was taken before the first step: on the CPU the process with its libraries, data and model."""


class Variant(Record):
    """One thing that was measured."""

    name: str
    method: dict[str, Any] | None
    """As a recipe would say it; None for the plain loop."""
    batch_size: int
    seconds: tuple[float, ...]
    """Per training step, one value per round."""
    memory: Peak | None = None
    """None where it was not measured."""


class Overhead(Record):
    """All variants of one recipe, in turns in one process."""

    recipe: str
    data: dict[str, Any]
    model: dict[str, Any]
    augmenter: list[dict[str, Any]]
    optimizer: dict[str, Any]
    train: dict[str, Any]
    steps: Annotated[int, Field(ge=1)]
    """Training steps of every variant in every round."""
    variants: tuple[Variant, ...]
    left_out: dict[str, str]
    """Variants that cannot be, with the reason."""
    memory_of: Literal["cuda", "process"] | None
    """Whether memory is what torch took on the GPU, or what a process of its own took as resident."""
    machine: Machine

    def find(self, name: str) -> Variant | None:
        """The variant of this name, if it was measured."""
        return next((one for one in self.variants if one.name == name), None)

    def ratios(self, name: str, against: str = BASELINE) -> list[float]:
        """Seconds of one variant over those of another, round by round; empty if one of them was not measured."""
        own, other = self.find(name), self.find(against)
        if own is None or other is None:
            return []
        return [one / base for one, base in zip(own.seconds, other.seconds, strict=True)]

    def memory_ratio(self, name: str, against: str = BASELINE) -> float | None:
        """Median peak over the median peak of another variant."""
        own, other = self.find(name), self.find(against)
        if own is None or other is None or own.memory is None or other.memory is None:
            return None
        return median(own.memory.peak) / median(other.memory.peak)

    def grown(self, name: str) -> float | None:
        """Median of what the steps took beyond what was there before them, in bytes."""
        own = self.find(name)
        if own is None or own.memory is None:
            return None
        return median(peak - before for peak, before in zip(own.memory.peak, own.memory.before, strict=True))


def overhead_folder(results: Path) -> Path:
    """`results/bench/overhead`."""
    return results / "bench" / "overhead"


def overhead_path(results: Path, recipe: str) -> Path:
    """`results/bench/overhead/<recipe>.json`."""
    return overhead_folder(results) / f"{recipe}.json"
