"""Packed files: the same reports come out, in the study's order, and what is wrong is named with its line."""

import json
from pathlib import Path

import pytest

from saflex_cli.config.identity import run_config
from saflex_cli.config.study import Study, load_study
from saflex_cli.errors import ResultsError
from saflex_cli.store.studies.pack import (
    current_reports,
    pack_path,
    read_pack,
    runs_of,
    sharing_key,
    surplus,
    write_pack,
)
from tests.recipes import make_recipe
from tests.store.studies.conftest import made


def test_what_goes_in_comes_out_in_the_order_of_the_study(study: Study, tmp_path: Path) -> None:
    cell, path = study.cells[0], tmp_path / "cell.jsonl"
    reports = made(study, cell.name)
    write_pack(path, cell, dict(reversed(reports.items())))
    assert {run: report for run, (report, _) in read_pack(path).items()} == reports
    assert [where for _, where in read_pack(path).values()] == [f"{path}:{line}" for line in range(1, 17)]
    assert list(read_pack(path)) == runs_of(cell)
    assert path.read_text() == "".join(report.model_dump_json() + "\n" for report in reports.values())


def test_a_packed_file_grows_and_loses_nothing_that_is_asked_for(study: Study, tmp_path: Path) -> None:
    cell, path = study.cells[0], tmp_path / "cell.jsonl"
    reports = made(study, cell.name)
    runs = list(reports)
    write_pack(path, cell, {})
    assert not path.exists()
    write_pack(path, cell, {run: reports[run] for run in runs[5:]})
    write_pack(path, cell, {run: reports[run] for run in runs[:9]})
    assert list(read_pack(path)) == runs
    before = path.stat().st_mtime_ns
    write_pack(path, cell, reports)
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [*lines, lines[0]], ":17: the same run stands at "),
        (lambda lines: [lines[0][:50]], ":1: not a whole report"),
        (lambda lines: [lines[0], ""], ":2: not a whole report"),
    ],
)
def test_a_broken_file_is_named_with_its_line(study: Study, results: Path, change, said: str) -> None:
    path = pack_path(results, study, study.cells[0])
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    with pytest.raises(ResultsError) as error:
        current_reports(results, study, study.cells[0], mend="mend it")
    assert f"{path}{said}" in str(error.value)


def test_a_report_of_another_configuration_is_stale(study_path: Path, results: Path) -> None:
    study_path.write_text(study_path.read_text().replace("preset: proximal", "preset: proximal\n  temperature: 0.5"))
    study = load_study(study_path)
    current, stale = current_reports(results, study, study.cells[0], mend="mend it")
    assert len(current) == 12
    assert {label for _, label, _ in stale} == {"saflex_proximal"}
    first = str(next(iter(stale.values())))
    assert first.endswith("mend it")
    assert ":13: belongs to another recipe" in first
    assert "temperature" in first


def test_what_is_not_asked_for_is_found(study: Study, results: Path) -> None:
    assert surplus(results, study) == []
    path = pack_path(results, study, study.cells[0])
    line = json.loads(path.read_text().splitlines()[0]) | {"seed": 9}
    path.write_text(path.read_text() + json.dumps(line) + "\n")
    stray = path.with_name("other.jsonl")
    stray.touch()
    assert surplus(results, study) == [f"{path}:17", str(stray)]


def test_only_what_affects_a_run_tells_it_from_another(study: Study) -> None:
    first, second = (cell.recipe for cell in study.cells[:2])
    keys = [[sharing_key(recipe, method, 0) for method in recipe.methods] for recipe in (first, second)]
    assert [own == other for own, other in zip(*keys, strict=True)] == [True, False, False, False]
    assert sharing_key(first, first.methods[0], 0) != sharing_key(first, first.methods[0], 1)


def test_a_folder_tells_runs_apart_although_reports_do_not_name_it(tmp_path: Path) -> None:
    recipes = [make_recipe(tmp_path, data={"name": "npz", "path": f"/{folder}/a.npz"}) for folder in ("x", "y")]
    assert len({sharing_key(recipe, recipe.methods[0], 0) for recipe in recipes}) == 2
    assert len({str(run_config(recipe, recipe.methods[0])) for recipe in recipes}) == 1
