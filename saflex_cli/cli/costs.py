"""What the runs of a plan may cost, judged by the reports that are there."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import typer

from saflex_cli.cli.plan import PlannedRun
from saflex_cli.config.components import DigitsData, MedMnistData
from saflex_cli.config.identity import run_config
from saflex_cli.config.schema import Train
from saflex_cli.data.medmnist_facts import FACTS
from saflex_cli.errors import ResultsError
from saflex_cli.store.files import read_report
from saflex_cli.store.report import Report

_PER_HOUR = 3600

Kind = str
"""Runs of one kind cost about the same per sample and epoch: one model, and as many passes per step."""


@dataclass(frozen=True)
class Costs:
    """Seconds per training sample and epoch, by kind of run, on the machine with the most reports of that kind."""

    seconds: dict[Kind, float]
    machines: dict[Kind, str]

    @classmethod
    def read(cls, folders: Iterable[Path]) -> "Costs":
        """From all reports of some results folders; unreadable ones are left out."""
        found: dict[Kind, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for path in sorted({path for folder in folders for path in folder.glob("reports/**/seed-*.json")}):
            try:
                report = read_report(path)
            except ResultsError:
                continue
            if "model" not in report.config or report.timing.seeds_together is not None:
                continue  # no network was trained, or not by itself
            threads = report.environment.threads
            machine = f"{report.environment.device}, {threads} thread{'s' if threads > 1 else ''}"
            found[_kind(report.config)][machine].append(_seconds_per_sample(report))
        usual = {kind: max(own, key=lambda machine: len(own[machine])) for kind, own in found.items()}
        return cls({kind: fmean(found[kind][machine]) for kind, machine in usual.items()}, usual)

    def of(self, planned: PlannedRun) -> tuple[float, str] | None:
        """Seconds of training and the machine they are for; None where nothing tells."""
        samples = _samples(planned)
        if samples is None or not planned.method.uses_network:
            return None
        kind = _kind(run_config(planned.recipe, planned.method))
        if kind not in self.seconds:
            return None
        train = planned.recipe.train
        seen = _seen(samples, train.batch_size, train.updates_per_epoch)
        return self.seconds[kind] * seen * train.epochs, self.machines[kind]

    def announce(self, plan: Sequence[PlannedRun]) -> None:
        """One line per machine on what is still to do, and one on what cannot be judged."""
        waiting = [planned for planned in plan if planned.state == "to do"]
        sums: dict[str, list[float]] = defaultdict(list)
        for expected in filter(None, map(self.of, waiting)):
            sums[expected[1]].append(expected[0])
        for machine, own in sums.items():
            typer.echo(f"{_runs(len(own))} to do: about {_duration(sum(own))} one after the other, as on {machine}")
        unknown = len(waiting) - sum(map(len, sums.values()))
        if unknown and sums:
            typer.echo(f"{_runs(unknown)} to do: no report to judge their cost by")


def _kind(config: dict[str, Any]) -> Kind:
    method = config["method"]
    scope = method.get("settings", {}).get("scope", "none")
    costly = method["name"] == "lp_a3" or scope != "none"
    passes = f"{method['name']} {scope}" if costly else "plain"
    defaults = {name: Train.model_fields[name].default for name in ("precision", "channels_last", "compile")}
    computed = {name: config["train"].get(name, default) for name, default in defaults.items()}
    clean = method.get("clean_batch", False)
    return json.dumps([config["data"]["name"], config["model"], computed, passes, clean], sort_keys=True)


def _seconds_per_sample(report: Report) -> float:
    train = report.config["train"]
    seen = _seen(report.data.train, train["batch_size"], train.get("updates_per_epoch"))
    return report.timing.train_seconds / (seen * int(train["epochs"]))


def _seen(samples: int, batch_size: int, updates: int | None) -> int:
    """Samples of an epoch."""
    return samples if updates is None else updates * min(batch_size, samples)


def _samples(planned: PlannedRun) -> int | None:
    """Training samples, where they are known without reading the data."""
    match planned.recipe.data:
        case MedMnistData(subset=subset):
            train, val, _ = FACTS[subset].sizes
        case DigitsData(train=train, val=val):
            pass
        case _:
            return None
    pool = planned.recipe.pool.size if planned.recipe.pool else 0
    return train - pool + (val if "val" in planned.method.train_on else 0)


def _runs(count: int) -> str:
    return f"{count} run{'s' if count > 1 else ''}"


def _duration(seconds: float) -> str:
    if seconds < 2 * 60:
        return f"{seconds:.0f} s"
    if seconds < 2 * _PER_HOUR:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / _PER_HOUR:,.0f} h"
