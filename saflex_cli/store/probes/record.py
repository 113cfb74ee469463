"""What was measured in one training run, with the run's own report."""

from typing import Literal

from saflex_cli.config.probe_config import Measure
from saflex_cli.store.report import Record, Report


class Moment(Record):
    """What was measured at one moment."""

    epoch: int
    """Epochs trained; 0 is before training."""
    values: dict[str, float]
    """By `group/name` as `saflex_cli.store.probes.sections` lists them; a value that cannot be computed is absent."""


class ProbeRecord(Record):
    """One line of `results/probes/<probe>.jsonl`."""

    format: Literal[1] = 1
    probe: Measure
    """What was asked for."""
    report: Report
    """Of the training run, as it would be without the measurements; it holds configuration, versions and commit."""
    cleanlab: str | None
    """Version, where confident learning is measured."""
    moments: tuple[Moment, ...]
