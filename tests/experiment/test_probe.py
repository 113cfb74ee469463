"""A probed run is the run without the probe, and is measured when it was asked for."""

from pathlib import Path
from typing import Any

import pytest
import torch

from saflex_cli.config.probe import Probe, load_probe
from saflex_cli.experiment import run
from saflex_cli.experiment.places import Places
from saflex_cli.experiment.probe import ProbedRun, probe_run
from saflex_cli.store.probes.pack import read_pack, record_path
from saflex_cli.store.probes.record import ProbeRecord
from saflex_cli.store.probes.sections import sections
from saflex_cli.store.report import Report
from tests.probes import DECREASE, write_probe

MLP = {"model": {"name": "mlp", "hidden": [6], "dropout": 0.2}, "pool": {"size": 120, "wrong_labels": 0.4}}


def same(report: Report) -> dict[str, Any]:
    return report.model_dump(exclude={"timing"})


def measured(probe: Probe, label: str) -> ProbeRecord:
    return probe_run(probe.measure, probe.cases[0].recipe, label, 0, device="cpu")


@pytest.mark.parametrize("changes", [{}, DECREASE | {"recipe": MLP}], ids=["knowledge", "decrease"])
def test_the_report_is_that_of_the_run_without_the_probe(tmp_path: Path, changes: dict[str, Any]) -> None:
    probe = load_probe(write_probe(tmp_path, **changes))
    recipe = probe.cases[0].recipe
    for label in [method.label for method in recipe.methods]:
        state = torch.get_rng_state()
        record = measured(probe, label)
        assert torch.equal(torch.get_rng_state(), state)
        [report] = run(recipe, methods=[label], seeds=[0], device="cpu")
        assert same(record.report) == same(report)
        assert [moment.epoch for moment in record.moments] == list(probe.measure.epochs)
        keys = {section.key(name) for section in sections(probe.measure) for name in section.rows}
        for moment in record.moments:
            assert moment.values.keys() == keys
        assert len({tuple(moment.values.values()) for moment in record.moments}) == len(record.moments)
        assert ProbeRecord.model_validate_json(record.model_dump_json()) == record


def test_shares_of_the_decrease(tmp_path: Path) -> None:
    probe = load_probe(write_probe(tmp_path, **DECREASE, recipe=MLP))
    record = measured(probe, "upstream")
    assert record.cleanlab is None
    for moment in record.moments:
        for how in ("sum", "batch"):
            for rate in ("0.05", "0.5"):
                assert moment.values[f"{how}/outer/{rate}/exact"] == pytest.approx(1)
                assert 0 < moment.values[f"{how}/search/{rate}/loss"] < 1
                assert moment.values[f"{how}/search/{rate}/second"] <= 1
        # The linear program's optimum in the box is the best to first order, and the step is short.
        assert moment.values["batch/outer/0.05/lp"] > 0.8


def test_a_run_writes_its_record(tmp_path: Path) -> None:
    probe = load_probe(write_probe(tmp_path))
    heard: list[int] = []
    report = ProbedRun(probe.measure, tmp_path)(
        probe.cases[0].recipe, "upstream", 1, places=Places(), device="cpu", on_progress=lambda p: heard.append(p.epoch)
    )
    [(found, _)] = read_pack(record_path(tmp_path, probe.runs[1])).values()
    assert found.report == report
    assert found.cleanlab is not None
    assert heard == [1, 2]
