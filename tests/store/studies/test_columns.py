"""Cells of a study as columns of a table."""

from pathlib import Path

import pytest

from saflex_cli.config.study import Study
from saflex_cli.errors import RecipeError, ResultsError
from saflex_cli.store.aggregate import build_table
from saflex_cli.store.studies.pack import pack_path, write_pack
from saflex_cli.store.table import load_table
from tests.store.studies.conftest import made

TABLE = """\
name: cells
title: Two cells of a study
columns:
  - {recipe: ../study/tiny.yaml, cell: digits/0, title: no wrong labels}
  - {recipe: ../study/tiny.yaml, cell: digits/0_4, title: "40 % wrong"}
rows:
  - {method: no_aug, title: no augmentation}
  - {method: upstream, title: upstream}
  - {method: upstream_trainval, title: upstream on train+val}
  - {method: saflex_proximal, title: SAFLEX proximal}
baseline: upstream
fair: upstream_trainval
"""


@pytest.fixture
def table_path(study_path: Path) -> Path:
    path = study_path.parents[1] / "tables" / "cells.yaml"
    path.parent.mkdir()
    path.write_text(TABLE)
    return path


def test_a_column_takes_the_packed_reports_of_a_cell(table_path: Path, results: Path) -> None:
    data = build_table(load_table(table_path), results)
    assert data.is_complete
    (no_aug, upstream, both, refined), _ = data.cells
    assert no_aug.seeds == upstream.seeds == both.seeds == refined.seeds == (0, 1, 2, 3)
    assert upstream.selected is not None
    assert upstream.selected.mean == pytest.approx((0.92 + 0.93 + 0.94 + 0.935) / 4)
    assert both.selected is None  # nothing was left to select on
    assert refined.to_baseline is not None
    assert refined.to_baseline.difference.mean == pytest.approx((0.021 + 0.02 + 0.022 + 0.016) / 4)


def test_missing_reports_name_the_cell_and_the_command(table_path: Path, study: Study, results: Path) -> None:
    path = pack_path(results, study, study.cells[0])
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if '"no_aug"' not in line))
    with pytest.raises(ResultsError) as error:
        build_table(load_table(table_path), results)
    assert f"{path}, no_aug, seed 0: missing" in str(error.value)
    command = f"saflex study {load_table(table_path).columns[0].sources[None].path} --cell digits/0"
    assert f"  {command} --out {results}" in str(error.value).splitlines()
    assert build_table(load_table(table_path), results, allow_missing=True).cells[0][0].seeds == ()


def test_reports_of_another_configuration_are_refused(table_path: Path, study: Study, results: Path) -> None:
    cell = study.cells[0]
    reports = made(study, cell.name)
    run = (cell.recipe.name, "no_aug", 1)
    changed = reports[run].model_copy(update={"config": reports[run].config | {"protocol": 1}})
    write_pack(pack_path(results, study, cell), cell, reports | {run: changed})
    with pytest.raises(
        ResultsError, match=r"(?s)digits/0\.jsonl:2: .*--cell digits/0 .*--method no_aug --seed 1 --force"
    ):
        build_table(load_table(table_path), results)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "cell: digits/0,",
            "cell: digits/1,",
            r"columns\[0\]\.cell: tiny has no cell digits/1; they are: digits/0, digits/0_4, ",
        ),
        ("cell: digits/0,", "", r"columns\[0\]\.recipe: .*tiny\.yaml is a study; say which of its cells"),
        (
            "../study/tiny.yaml, cell: digits/0,",
            "../study/base-digits.yaml, cell: x,",
            r"columns\[0\]\.cell: .* is no study",
        ),
        (
            "../study/tiny.yaml, cell: digits/0,",
            "../study/gone.yaml, cell: x,",
            r"columns\[0\]\.recipe: there is no .*gone",
        ),
        ("recipe: ../study/tiny.yaml, cell: digits/0,", "recipe: {a: x.yaml}, cell: x,", "cell is that of one study"),
        ("cell: digits/0_4,", "cell: digits/0,", r"columns\[1\]\.recipe: study/tiny/digits/0 is listed twice"),
    ],
)
def test_a_wrong_cell(table_path: Path, old: str, new: str, message: str) -> None:
    assert old in TABLE
    table_path.write_text(TABLE.replace(old, new))
    with pytest.raises(RecipeError, match=message):
        load_table(table_path)
