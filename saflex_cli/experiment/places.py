"""Where a run reads and writes, and how it tells of its progress."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

StateName = Literal["selected", "last"]


@dataclass(frozen=True)
class Places:
    """Folders of a run."""

    results: Path = Path("results")
    """Reports and tables: small text, committed."""
    runs: Path = Path("runs")
    """Checkpoints: large, not committed."""
    data_root: Path | None = None
    """Data sets; None takes the environment variable SAFLEX_DATA, else ./data."""


@dataclass(frozen=True)
class Progress:
    """One epoch is done."""

    recipe: str
    method: str
    seed: int
    epoch: int
    """Epochs finished."""
    epochs: int
    steps_per_second: float


def checkpoint_path(places: Places, recipe: str, label: str, seed: int, state: StateName | Literal["resume"]) -> Path:
    """Checkpoint of a finished run (`selected`, `last`), or of one under way (`resume`)."""
    return places.runs / recipe / label / f"seed-{seed}" / f"{state}.safetensors"


def together_path(places: Places, recipe: str, label: str) -> Path:
    """Checkpoint of all seeds of a method that are trained together, while they are under way."""
    return places.runs / recipe / label / "together.safetensors"
