"""The metric that is asked for is the one that is read; a report without it is refused, and named."""

import pytest

from saflex_cli.config.schema import Recipe
from saflex_cli.errors import ResultsError
from saflex_cli.store.report import Report
from saflex_cli.store.scores import SeedScores

from .conftest import make_report


@pytest.fixture
def report(recipe: Recipe) -> Report:
    return make_report(recipe, recipe.methods[0].label, 3, 0.9)


def with_f1(report: Report, value: float) -> Report:
    last = report.last.model_copy(update={"test": report.last.test.model_copy(update={"macro_f1": value})})
    return report.model_copy(update={"last": last, "selected": None})


def test_macro_f1_is_read(report: Report) -> None:
    scores = SeedScores.of({3: with_f1(report, 0.25)}, "macro_f1")
    assert (scores.selected, scores.last) == ({}, {3: 0.25})


def test_a_report_from_before_the_metric_is_refused(report: Report) -> None:
    assert SeedScores.of({3: report}, "accuracy").selected == {3: 0.9}
    with pytest.raises(ResultsError, match=r"seed 3: its report is from before macro F1 was recorded; `saflex train"):
        SeedScores.of({3: report}, "macro_f1")
