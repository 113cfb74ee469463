"""Every measured cost that a folder of results holds."""

from dataclasses import dataclass, field
from pathlib import Path

from saflex_cli.store.performance.epoch import EpochBenchmark, epoch_folder
from saflex_cli.store.performance.files import Machine, read_record, read_records
from saflex_cli.store.performance.overhead import Overhead, overhead_folder
from saflex_cli.store.performance.peers import PeerBenchmark, peers_path
from saflex_cli.store.performance.sweep import Sweep, sweep_path


@dataclass(frozen=True)
class Costs:
    """What was measured; empty or None where nothing was."""

    overheads: dict[str, Overhead] = field(default_factory=dict)
    """By recipe."""
    epochs: dict[str, EpochBenchmark] = field(default_factory=dict)
    """By recipe."""
    peers: PeerBenchmark | None = None
    sweep: Sweep | None = None

    @classmethod
    def load(cls, results: Path) -> "Costs":
        """Read everything.

        Raises:
            ResultsError: if a file is of another format.
        """
        peers, sweep = peers_path(results), sweep_path(results)
        return cls(
            {one.recipe: one for one in read_records(overhead_folder(results), Overhead)},
            {one.recipe: one for one in read_records(epoch_folder(results), EpochBenchmark)},
            read_record(peers, PeerBenchmark) if peers.exists() else None,
            read_record(sweep, Sweep) if sweep.exists() else None,
        )

    def machines(self) -> dict[str, Machine]:
        """Where each was measured, by a name for the reader."""
        found = {f"steps of {recipe}": one.machine for recipe, one in self.overheads.items()}
        found |= {f"epochs of {recipe}": one.machine for recipe, one in self.epochs.items()}
        single = {"peers": self.peers, "sweep": self.sweep}
        return found | {name: one.machine for name, one in single.items() if one is not None}
