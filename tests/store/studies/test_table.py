"""The numbers of a study, by hand and as reviewed; regenerate the latter with `make golden`."""

import os
from pathlib import Path

import pytest
from scipy.stats import ttest_rel

from saflex_cli.config.study import Study, load_study
from saflex_cli.errors import ResultsError
from saflex_cli.store.studies.check import check_study, study_file, write_study
from saflex_cli.store.studies.pack import pack_path
from saflex_cli.store.studies.render import render_md
from saflex_cli.store.studies.render_csv import render_csv
from saflex_cli.store.studies.table import build_study
from tests.store.studies.conftest import PERCENT

GOLDEN = Path(__file__).parents[2] / "golden" / "studies"


def test_differences_tests_and_records(study: Study, results: Path) -> None:
    data = build_study(study, results)
    first = data.cells[0].results["saflex_proximal"].versus["upstream_trainval"]
    test = ttest_rel(PERCENT["digits/0", "saflex_proximal"], PERCENT["digits/0", "upstream_trainval"])
    assert first.p == pytest.approx(test.pvalue)
    assert first.epoch == "last"
    assert first.difference.mean == pytest.approx(0.00225)
    assert data.cells[0].results["no_aug"].versus == {}
    # The last cell has no report of one opponent and one of the other: nothing to test there.
    assert [len(data.tests(opponent)) for opponent in study.opponents] == [6, 6]
    last = data.cells[3].results["saflex_proximal"].versus
    assert list(last) == ["no_aug"]
    assert (last["no_aug"].p, last["no_aug"].adjusted, last["no_aug"].difference.n) == (None, None, 1)
    # Four equal differences above 0 are no more than four signs.
    assert data.cells[2].results["saflex_proximal"].versus["no_aug"].p == 1 / 8
    record = data.record("upstream", "no_aug")
    assert (record.wins, record.ties, record.losses, record.untested) == (1, 1, 1, 1)
    assert record.mean == pytest.approx((0.02 - 0.09125 + 0 + 0) / 4)


def test_ranks_take_only_whole_cells(study: Study, results: Path) -> None:
    means, cells = build_study(study, results).mean_ranks()
    assert cells == 3
    assert means["saflex_proximal"] == pytest.approx((1 + 2 + 1) / 3)
    assert means["upstream"] == pytest.approx((3 + 4 + 3.5) / 3)


@pytest.mark.parametrize("epoch", ["last", "selected"])
def test_rendered_as_reviewed(study_path: Path, results: Path, epoch: str) -> None:
    study_path.write_text(study_path.read_text() + f"epoch: {epoch}\n")
    data = build_study(load_study(study_path), results)
    for suffix, text in (("md", render_md(data)), ("csv", render_csv(data))):
        path = GOLDEN / f"{epoch}.{suffix}"
        if os.environ.get("SAFLEX_UPDATE_GOLDEN"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert path.read_text() == text
        assert suffix == "csv" or max(map(len, text.splitlines())) <= 80


def test_no_reports_at_all(study: Study, tmp_path: Path) -> None:
    data = build_study(study, tmp_path / "nowhere")
    assert (data.reports, data.is_complete) == (0, False)
    assert data.mean_ranks() == ({}, 0)
    assert "0 of 64 reports" in " ".join(render_md(data).split())


def test_mixed_data_are_refused(study: Study, results: Path) -> None:
    path = pack_path(results, study, study.cells[1])
    path.write_text(path.read_text().replace('"sha256":"0', '"sha256":"1', 1))
    with pytest.raises(
        ResultsError, match=r"made on different data; run it anew with `saflex study .* --cell digits/0_4"
    ):
        build_study(study, results)


def test_stale_reports_are_refused(study_path: Path, results: Path) -> None:
    study_path.write_text(study_path.read_text().replace("preset: proximal", "preset: proximal\n  temperature: 0.5"))
    with pytest.raises(ResultsError, match=r"(?s)temperature.*`saflex study .* --force` replaces it.*and 11 more"):
        build_study(load_study(study_path), results)


def test_written_files_are_checked(study: Study, results: Path) -> None:
    data = build_study(study, results)
    write_study(data, results)
    with pytest.raises(ResultsError, match=r"tiny\.png: is missing; `saflex study .* --table` writes it anew"):
        check_study(data, results)
    study_file(results, study, "png").touch()
    check_study(data, results)
    stray = pack_path(results, study, study.cells[0]).with_name("stray.jsonl")
    stray.touch()
    with pytest.raises(ResultsError, match=r"stray\.jsonl: recipes/study/tiny\.yaml does not ask for it"):
        check_study(data, results)
    csv = study_file(results, study, "csv")
    csv.write_text(csv.read_text().replace("94.", "95.", 1))
    with pytest.raises(ResultsError, match=r"tiny\.csv:\d+: differs from the reports"):
        check_study(data, results)
