"""What the runs of a plan may cost, judged by the reports that are there."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import typer

from saflex_cli.cli.plan import PlannedRun
from saflex_cli.config.components import DigitsData, GaussiansData, MedMnistData
from saflex_cli.config.identity import run_config
from saflex_cli.config.schema import Train
from saflex_cli.data.medmnist_facts import FACTS
from saflex_cli.errors import ResultsError
from saflex_cli.store.files import read_report
from saflex_cli.store.report import Report
from saflex_cli.store.studies.pack import read_pack

_PER_HOUR = 3600

Kind = str
"""Runs of one kind cost about the same per sample and epoch: one model, and as many passes per step."""


@dataclass(frozen=True)
class Costs:
    """Seconds per training sample and epoch, by kind of run, on the machine with the most reports of that kind."""

    seconds: dict[Kind, float]
    machines: dict[Kind, str]
    samples: dict[str, int]
    """Training samples by `_training_data`, as reports have counted them."""

    @classmethod
    def read(cls, folders: Iterable[Path]) -> "Costs":
        """From all reports of some results folders, packed ones of studies too; unreadable ones are left out."""
        found: dict[Kind, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        samples = {}
        for report in _reports(set(folders)):
            if "model" not in report.config or report.timing.seeds_together is not None:
                continue  # no network was trained, or not by itself
            threads = report.environment.threads
            machine = f"{report.environment.device}, {threads} thread{'s' if threads > 1 else ''}"
            found[_kind(report.config)][machine].append(_seconds_per_sample(report))
            samples[_training_data(report.config)] = report.data.train
        usual = {kind: max(own, key=lambda machine: len(own[machine])) for kind, own in found.items()}
        return cls({kind: fmean(found[kind][machine]) for kind, machine in usual.items()}, usual, samples)

    def of(self, planned: PlannedRun) -> tuple[float, str] | None:
        """Seconds of training and the machine they are for; None where nothing tells."""
        config = run_config(planned.recipe, planned.method)
        samples = _samples(planned) or self.samples.get(_training_data(config))
        if samples is None or not planned.method.uses_network:
            return None
        kind = _kind(config)
        if kind not in self.seconds:
            return None
        train = planned.recipe.train
        seen = _seen(samples, train.batch_size, train.updates_per_epoch)
        return self.seconds[kind] * seen * train.epochs, self.machines[kind]

    def announce(self, plan: Sequence[PlannedRun], *, even_if_unknown: bool = False) -> None:
        """One line per machine on what is still to do, and one on what cannot be judged.

        With `even_if_unknown` the latter stands there even if nothing can be judged.
        """
        waiting = [planned for planned in plan if planned.state == "to do"]
        sums: dict[str, list[float]] = defaultdict(list)
        for expected in filter(None, map(self.of, waiting)):
            sums[expected[1]].append(expected[0])
        for machine, own in sums.items():
            typer.echo(f"{_runs(len(own))} to do: about {_duration(sum(own))} one after the other, as on {machine}")
        unknown = len(waiting) - sum(map(len, sums.values()))
        if unknown and (sums or even_if_unknown):
            typer.echo(f"{_runs(unknown)} to do: no report to judge their cost by")


def _reports(folders: Iterable[Path]) -> Iterator[Report]:
    for path in sorted({path for folder in folders for path in folder.glob("reports/**/seed-*.json")}):
        with suppress(ResultsError):
            yield read_report(path)
    for path in sorted({path for folder in folders for path in folder.glob("studies/**/*.jsonl")}):
        with suppress(ResultsError):
            yield from (report for report, _ in read_pack(path).values())


def _kind(config: dict[str, Any]) -> Kind:
    method = config["method"]
    scope = method.get("settings", {}).get("scope", "none")
    costly = method["name"] == "lp_a3" or scope != "none"
    passes = f"{method['name']} {scope}" if costly else "plain"
    defaults = {name: Train.model_fields[name].default for name in ("precision", "channels_last", "compile")}
    computed = {name: config["train"].get(name, default) for name, default in defaults.items()}
    clean = method.get("clean_batch", False)
    return json.dumps([_inputs(config["data"]), config["model"], computed, passes, clean], sort_keys=True)


def _inputs(data: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """What a model's cost per sample depends on: the kind of data where all its inputs are alike, else the data set."""
    if data["name"] == "medmnist":
        return ["medmnist", data.get("size", 28), data.get("rgb", False)]
    return data["name"] if data["name"] in ("digits", "gaussians") else _data_set(data)


def _data_set(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != "split_seed"}


def _training_data(config: dict[str, Any]) -> str:
    """What decides how many samples are trained on."""
    return json.dumps([_data_set(config["data"]), config["method"].get("train_on", ["train"])], sort_keys=True)


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
        case DigitsData(train=train, val=val) | GaussiansData(train=train, val=val):
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
