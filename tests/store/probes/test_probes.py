"""Packed records of a probe: what is read, refused and kept, and the tables that follow from them."""

from pathlib import Path

import pytest

from saflex_cli.config.probe import Probe, load_probe
from saflex_cli.errors import ResultsError
from saflex_cli.store.files import write_bytes
from saflex_cli.store.probes.check import check_probe, write_tables
from saflex_cli.store.probes.pack import probe_file, read_records, record_path, surplus, write_pack, write_record
from saflex_cli.store.probes.record import Moment, ProbeRecord
from saflex_cli.store.probes.render import render_csv, render_md
from saflex_cli.store.probes.sections import SOLUTIONS, sections
from saflex_cli.store.probes.table import build_probe
from tests.probes import CONTENT, DECREASE, write_probe
from tests.store.conftest import make_report

Records = dict[tuple[str, str, int], ProbeRecord]


def make_records(probe: Probe) -> Records:
    """Every value 50 %, a tenth more per seed, and a hundredth per epoch."""
    recipe = probe.cases[0].recipe
    keys = [section.key(name) for section in sections(probe.measure) for name in section.rows]
    return {
        run: ProbeRecord(
            probe=probe.measure,
            report=make_report(recipe, run[1], run[2], 0.9),
            cleanlab=None,
            moments=tuple(
                Moment(epoch=epoch, values=dict.fromkeys(keys, 0.5 + run[2] / 10 + epoch / 100))
                for epoch in probe.measure.epochs
            ),
        )
        for run in probe.runs
    }


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    return load_probe(write_probe(tmp_path))


@pytest.fixture
def results(tmp_path: Path, probe: Probe) -> Path:
    write_pack(tmp_path / "results", probe, make_records(probe))
    return tmp_path / "results"


def test_what_is_packed_is_read(probe: Probe, results: Path) -> None:
    assert read_records(results, None, probe) == (make_records(probe), {})
    assert surplus(results, probe) == []


def test_a_record_of_the_working_folder_counts_where_none_is_packed(tmp_path: Path, probe: Probe) -> None:
    record = make_records(probe)[probe.runs[1]]
    write_record(tmp_path, record)
    assert read_records(tmp_path / "none", tmp_path, probe) == ({probe.runs[1]: record}, {})
    record_path(tmp_path, probe.runs[1]).write_text("{")
    with pytest.raises(ResultsError, match=r"seed-1\.json:1: not a whole record"):
        read_records(tmp_path / "none", tmp_path, probe)


def test_another_question_makes_records_stale_and_never_loses_them(tmp_path: Path, results: Path) -> None:
    other = load_probe(write_probe(tmp_path, probe=CONTENT["probe"] | {"epochs": [1, 2]}))
    current, stale = read_records(results, None, other)
    assert not current
    assert "was measured otherwise (probe.epochs: (0, 2) → (1, 2))" in stale[other.runs[0]]
    assert stale[other.runs[0]].endswith("`saflex probe recipes/study/tiny.yaml --force` replaces it")
    before = probe_file(results, other, "jsonl").read_bytes()
    write_pack(results, other, {})
    assert probe_file(results, other, "jsonl").read_bytes() == before


def test_another_recipe_makes_records_stale(tmp_path: Path, results: Path) -> None:
    other = load_probe(write_probe(tmp_path, recipe={"optimizer": {"name": "adam", "lr": 0.02}}))
    current, stale = read_records(results, None, other)
    assert not current
    assert "belongs to another recipe (optimizer.lr: 0.01 → 0.02)" in stale[other.runs[0]]


def test_lines_that_are_not_asked_for_are_named(tmp_path: Path, results: Path) -> None:
    fewer = load_probe(write_probe(tmp_path, seeds=[0]))
    path = probe_file(results, fewer, "jsonl")
    assert surplus(results, fewer) == [f"{path}:2", f"{path}:4"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text + text.splitlines()[0] + "\n", r":5: the same run stands at .*:1; delete one"),
        (lambda text: text.replace('"epoch":0', '"epoch":"0"', 1), r":1: not a whole record"),
    ],
)
def test_a_spoilt_file_is_refused(results: Path, probe: Probe, spoil, said: str) -> None:
    path = probe_file(results, probe, "jsonl")
    path.write_text(spoil(path.read_text()))
    with pytest.raises(ResultsError, match=said):
        read_records(results, None, probe)


def test_tables(results: Path, probe: Probe) -> None:
    text = render_md(build_probe(probe, results))
    assert "## Small digits, trained by as it is" in text
    assert "| Π, all | 55.0 ± 7.1 | 57.0 ± 7.1 |" in " ".join(text.split())
    assert "- 4 runs, 2 seeds of each." in text
    assert max(map(len, text.splitlines())) <= 80
    line = "Small digits,upstream,2,,auc,loss,loss at the label,2,2,57.0000,7.0711"
    assert line in render_csv(build_probe(probe, results)).splitlines()


def test_an_incomplete_probe_says_so(tmp_path: Path, probe: Probe) -> None:
    records = make_records(probe)
    del records[probe.runs[1]]
    write_pack(tmp_path / "part", probe, records)
    text = render_md(build_probe(probe, tmp_path / "part"))
    assert "- Incomplete: 3 of 4 runs." in text
    assert "50.0 (n = 1)" in text


def test_shares_of_a_decrease_come_by_step_size(tmp_path: Path) -> None:
    probe = load_probe(write_probe(tmp_path, **DECREASE))
    write_pack(tmp_path / "results", probe, make_records(probe))
    data = build_probe(probe, tmp_path / "results")
    text = render_md(data)
    for where in ("outer", "test"):
        for how in ("Σw", "the batch size"):
            for rate in ("0.05", "0.5"):
                assert f"### Decrease of the {where} loss, divided by {how}, α = {rate}\n" in text
    [group] = data.groups
    section = next(section for section in data.sections if section.rows is SOLUTIONS)
    found = group.over_epochs(section, "lp")
    assert found is not None
    assert found.values == pytest.approx((0.505, 0.605))
    assert "Small digits,upstream,1,0.5,sum/test,lp,lp,2,2,56.0000,7.0711" in render_csv(data).splitlines()


def test_check(results: Path, probe: Probe) -> None:
    data = build_probe(probe, results)
    write_tables(data, results)
    with pytest.raises(ResultsError, match=r"tiny\.png: is missing; `saflex probe recipes/study/tiny\.yaml --table`"):
        check_probe(data, results)
    write_bytes(probe_file(results, probe, "png"), b"picture")
    check_probe(data, results)
    path = probe_file(results, probe, "csv")
    path.write_text(path.read_text().replace("57.0000", "58.0000", 1))
    with pytest.raises(ResultsError, match=r"tiny\.csv:\d+: differs from the reports"):
        check_probe(data, results)


def test_check_refuses_what_is_not_asked_for(tmp_path: Path, results: Path) -> None:
    fewer = load_probe(write_probe(tmp_path, seeds=[0]))
    data = build_probe(fewer, results)
    write_tables(data, results)
    write_bytes(probe_file(results, fewer, "png"), b"picture")
    with pytest.raises(ResultsError, match=r"tiny\.jsonl:2: .* does not ask for it; delete it \(2 such\)"):
        check_probe(data, results)
