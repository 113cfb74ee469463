"""Whole training steps of peers through their own packages: `results/bench/peers.json`."""

from pathlib import Path
from statistics import median
from typing import Annotated, Any

from pydantic import Field

from saflex_cli.store.performance.files import Machine
from saflex_cli.store.report import Record


class PeerCost(Record):
    """One way to make a training step."""

    name: str
    seconds: tuple[float, ...]
    """Per step, one value per round."""


class PeerBenchmark(Record):
    """The same net, batch and outer batch for all, in turns in one process."""

    model: dict[str, Any]
    input_shape: tuple[int, ...]
    classes: int
    batch_size: int
    outer_batch_size: int
    steps: Annotated[int, Field(ge=1)]
    costs: tuple[PeerCost, ...]
    failed: dict[str, str]
    """What does not run here, with the reason."""
    versions: dict[str, str]
    """Of the peers' packages, as installed."""
    machine: Machine

    def ratios(self, name: str, against: str) -> list[float]:
        """Seconds of one over those of another, round by round; empty if one of them did not run."""
        seconds = {cost.name: cost.seconds for cost in self.costs}
        if name not in seconds or against not in seconds:
            return []
        return [own / other for own, other in zip(seconds[name], seconds[against], strict=True)]

    def milliseconds(self, name: str) -> float:
        """Median of a step."""
        return 1000 * median(next(cost.seconds for cost in self.costs if cost.name == name))


def peers_path(results: Path) -> Path:
    """`results/bench/peers.json`."""
    return results / "bench" / "peers.json"
