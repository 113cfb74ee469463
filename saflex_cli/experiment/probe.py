"""Train one method with one seed as ever, and measure its states at given epochs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import assert_never

import torch

from saflex_cli.config.probe_config import Decrease, Knowledge, Measure
from saflex_cli.config.schema import Recipe
from saflex_cli.experiment.confident import cleanlab_version
from saflex_cli.experiment.decrease import DecreaseProbe
from saflex_cli.experiment.knowledge import KnowledgeProbe
from saflex_cli.experiment.parts import Parts, build_parts
from saflex_cli.experiment.places import Places, Progress
from saflex_cli.experiment.reporting import Trained, finish
from saflex_cli.models.standardise import Standardised
from saflex_cli.store.probes.pack import write_record
from saflex_cli.store.probes.record import Moment, ProbeRecord
from saflex_cli.store.report import Report
from saflex_cli.train.loop import TrainingState
from saflex_cli.train.provenance import resolve_device

StateProbe = Callable[[Standardised, int], dict[str, float]]
"""From a model and the epochs trained to values by `group/name`; the model stays as it is."""


@dataclass(frozen=True)
class ProbedRun:
    """Called as `saflex_cli.experiment.run_one` is; writes a record instead of a report."""

    measure: Measure
    working: Path
    """Records of finished runs."""

    def __call__(
        self,
        recipe: Recipe,
        label: str,
        seed: int,
        *,
        places: Places,
        device: str = "auto",
        force: bool = False,  # noqa: ARG002 - what is finished was left out before
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Report:
        """Train, measure and write the record; a run that was stopped begins anew.

        Raises:
            SaflexError: says what is wrong with the recipe, the data or the run.
        """
        record = probe_run(
            self.measure, recipe, label, seed, data_root=places.data_root, device=device, on_progress=on_progress
        )
        write_record(self.working, record)
        return record.report


def probe_run(
    measure: Measure,
    recipe: Recipe,
    label: str,
    seed: int,
    *,
    data_root: Path | None = None,
    device: str = "auto",
    on_progress: Callable[[Progress], None] | None = None,
) -> ProbeRecord:
    """Train and measure one method with one seed; nothing is kept on disk.

    The measurements have random streams of their own and leave weights, running statistics, gradients, modes and the
    global random state alone: the report is that of the run without them, apart from its timing.

    Raises:
        SaflexError: says what is wrong with the recipe, the data or the run.
    """
    started = time.perf_counter()
    target = resolve_device(device)
    parts = build_parts(recipe, label, seed, data_root)
    model = parts.model(target)
    probe, moments = build_probe(measure, parts, target), []

    def look(epoch: int) -> None:
        if epoch in measure.epochs:
            with torch.random.fork_rng(devices=[target.index] if target.type == "cuda" else []):
                values = {name: float(f"{value:.8g}") for name, value in probe(model, epoch).items()}
                moments.append(Moment(epoch=epoch, values=values))

    def tell(state: TrainingState) -> None:
        look(state.epoch)
        if on_progress is not None:
            rate = state.steps / max(state.seconds, 1e-9)
            on_progress(Progress(recipe.name, label, seed, state.epoch, recipe.train.epochs, rate))

    with TemporaryDirectory() as scratch:
        places = Places(Path(scratch) / "results", Path(scratch) / "runs", data_root)
        fit = parts.fit(model, target, Path(scratch) / "resume.safetensors")
        look(0)
        state = fit.run(tell)
        report = finish(Trained(parts, model, state, target, fit.evaluating), places, started=started)
    cleanlab = cleanlab_version() if isinstance(measure, Knowledge) else None
    return ProbeRecord(probe=measure, report=report, cleanlab=cleanlab, moments=tuple(moments))


def build_probe(measure: Measure, parts: Parts, device: torch.device) -> StateProbe:
    """What measures the states of a run.

    Raises:
        SaflexError: if the recipe or its data cannot be measured so, or an extra is not installed.
    """
    match measure:
        case Knowledge():
            return KnowledgeProbe(measure, parts, device)
        case Decrease():
            return DecreaseProbe(measure, parts, device)
        case _:
            assert_never(measure)
