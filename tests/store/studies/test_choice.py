"""The rule takes the cheap ones, then the fewest cells below, then the rank; an incomplete study chooses nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from saflex_cli.config.study import Study, load_study
from saflex_cli.errors import RecipeError, ResultsError
from saflex_cli.store.bench import Benchmark, MethodCost, write_benchmark
from saflex_cli.store.json_lines import Run
from saflex_cli.store.report import Environment, Report
from saflex_cli.store.studies.choice import choose
from saflex_cli.store.studies.pack import pack_path, write_pack
from saflex_cli.store.studies.render import render_md
from saflex_cli.store.studies.table import build_study
from tests.store.conftest import make_report
from tests.studies import write_study

METHODS: list[dict[str, Any]] = [
    {"name": "upstream"},
    {"name": "saflex", "preset": "bootstrap", "label": "bootstrap"},
    {"name": "saflex", "preset": "proximal", "label": "safe"},
    {"name": "saflex", "preset": "proximal", "label": "high", "label_retention": 1.0},
    {"name": "saflex", "preset": "weights_only", "label": "same"},
    {"name": "saflex", "preset": "paper", "label": "dear"},
    {"name": "saflex", "preset": "proximal", "label": "beside", "clean_batch": True},
]
NOISE = (0.0, 0.4, -0.3, 0.2, -0.3)
PERCENT = {
    # upstream first; `high` has the best rank, but is clearly below in the last cell.
    "digits/0": {"upstream": 90, "bootstrap": 99, "safe": 91, "high": 95, "same": 90.9, "dear": 98, "beside": 99},
    "digits/0_2": {"upstream": 90, "bootstrap": 99, "safe": 91, "high": 95, "same": 90.9, "dear": 98, "beside": 99},
    "digits/0_4": {"upstream": 90, "bootstrap": 99, "safe": 91, "high": 60, "same": 90.9, "dear": 98, "beside": 99},
}
COSTS = {"upstream": 1.0, "bootstrap": 1.0, "safe": 1.2, "high": 1.2, "same": 1.49, "dear": 2.4, "beside": 1.9}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    cells = [{"at": at, "set": [f"augmenter[1].share={at}"]} for at in (0, 0.2, 0.4)]
    return load_study(
        write_study(
            tmp_path,
            methods=METHODS,
            titles=None,
            seeds=list(range(len(NOISE))),
            opponents=["upstream"],
            choice={"bench": "bench", "cost": 1.5, "not_below": ["upstream"]},
            curves=[{"title": "Digits", "recipe": "base-digits.yaml", "cells": cells}],
        )
    )


def write_reports(results: Path, study: Study, leave_out: Run | None = None) -> None:
    for cell in study.cells:
        reports: dict[Run, Report] = {}
        for place, (label, mean) in enumerate(PERCENT[cell.name].items()):
            for seed, noise in enumerate(NOISE):
                value = (mean + noise * (1 if place % 2 else -1)) / 100
                reports[cell.recipe.name, label, seed] = make_report(cell.recipe, label, seed, value)
        if leave_out:
            reports.pop(leave_out, None)
        path = pack_path(results, study, cell)
        path.unlink(missing_ok=True)
        write_pack(path, cell, reports)


def write_costs(results: Path, environment: Environment, *, without: str = "") -> None:
    costs = tuple(
        MethodCost(method=label, config_hash="0" * 16, seconds=(cost, 2 * cost))
        for label, cost in COSTS.items()
        if label != without
    )
    benchmark = Benchmark(
        recipe="bench", data={}, model={}, train={}, baseline="upstream", steps=1, costs=costs, environment=environment
    )
    write_benchmark(results, benchmark)


@pytest.fixture
def results(tmp_path: Path, study: Study) -> Path:
    folder = tmp_path / "results"
    write_reports(folder, study)
    some = make_report(study.cells[0].recipe, "upstream", 0, 0.5)
    write_costs(folder, some.environment)
    return folder


def test_the_fewest_cells_below_come_before_the_rank(study: Study, results: Path) -> None:
    choice = choose(build_study(study, results), results)
    assert choice is not None
    assert [one.label for one in choice.candidates] == ["safe", "same", "high"]
    assert [one.below for one in choice.candidates] == [(), (), ("digits/0_4",)]
    assert [one.cost for one in choice.candidates] == [1.2, 1.49, 1.2]
    by_hand = {"safe": (5 + 5 + 4) / 3, "same": (6 + 6 + 5) / 3, "high": (4 + 4 + 7) / 3}
    assert {one.label: one.rank for one in choice.candidates} == pytest.approx(by_hand)
    assert choice.too_dear == (("dear", 2.4),)


def test_without_a_method_that_is_never_below_the_exceptions_are_named(study: Study, results: Path) -> None:
    data = build_study(study, results)
    choice = choose(data, results)
    assert choice is not None
    only_high = replace(choice, candidates=choice.candidates[2:])
    text = " ".join(render_md(data, only_high).split())
    assert "Chosen: high; the cells below: digits/0_4." in text
    assert "Chosen: none" in render_md(data, replace(choice, candidates=()))


def test_the_table_says_what_was_chosen_and_why(study: Study, results: Path) -> None:
    data = build_study(study, results)
    text = " ".join(render_md(data, choose(data, results)).split())
    assert "at most 1.5 times the upstream's (on bench): the fewest cells significantly below upstream" in text
    assert "Too dear: dear (2.40)." in text
    assert "Chosen: safe." in text
    assert "| safe | 1.20 | 0 | 4.67 |" in text


def test_an_incomplete_study_chooses_nothing(study: Study, results: Path) -> None:
    write_reports(results, study, leave_out=(study.cells[1].recipe.name, "bootstrap", 3))
    assert choose(build_study(study, results), results) is None


def test_costs_that_were_not_measured_are_asked_for(study: Study, results: Path) -> None:
    data = build_study(study, results)
    environment = make_report(study.cells[0].recipe, "upstream", 0, 0.5).environment
    write_costs(results, environment, without="same")
    with pytest.raises(ResultsError, match="the cost of same: `saflex bench methods bench --write`"):
        choose(data, results)


def test_only_opponents_can_be_what_it_may_not_be_below(tmp_path: Path) -> None:
    path = write_study(
        tmp_path,
        methods=METHODS,
        titles=None,
        opponents=["upstream"],
        choice={"bench": "bench", "cost": 1.5, "not_below": ["bootstrap"]},
    )
    with pytest.raises(RecipeError, match=r"choice\.not_below\[0\]: bootstrap is no opponent"):
        load_study(path)
