"""Bars on a terminal, lines elsewhere."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from saflex_cli.cli import progress
from saflex_cli.cli.progress import summary, watch
from saflex_cli.config.schema import Selection
from saflex_cli.errors import TrainingError
from saflex_cli.experiment import Progress
from saflex_cli.launch.jobs import Advanced, Job, Outcome, Started
from saflex_cli.store.report import Report
from tests.recipes import make_recipe


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    recipe = make_recipe(tmp_path)
    return [Job(recipe, "no_aug", 0), Job(recipe, "upstream", 3)]


@pytest.fixture
def report(trained: Path) -> Report:
    return Report.model_validate_json((trained / "results/reports/tests/digits/no_aug/seed-0.json").read_bytes())


def show(jobs: list[Job], report: Report, monkeypatch: pytest.MonkeyPatch, *, width: int, terminal: bool) -> list[str]:
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=terminal, color_system=None, legacy_windows=False)
    monkeypatch.setattr(progress, "stdout", lambda: console)
    first, second = jobs
    with watch(jobs) as on_event:
        on_event(Started(first, pid=1))
        on_event(Started(second, pid=2))
        on_event(Advanced(first, Progress("tests/digits", "no_aug", 0, epoch=2, epochs=3, steps_per_second=123.4)))
        on_event(Outcome(second, error=TrainingError("loss is not finite\nmore")))
        on_event(Outcome(first, report=report))
    return text.getvalue().splitlines()


def test_lines_in_a_pipe(jobs: list[Job], report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    assert show(jobs, report, monkeypatch, width=40, terminal=False) == [
        "failed 1/2 upstream seed 3: loss is not finite",
        f"done 2/2 no_aug seed 0: {summary(report, Selection())}",
    ]


@pytest.mark.parametrize("width", [100, 50])
def test_bars_on_a_terminal(jobs: list[Job], report: Report, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    shown = "\n".join(show(jobs, report, monkeypatch, width=width, terminal=True))
    assert "failed 1/2 upstream seed 3: loss is not finite" in shown
    assert "2/2 runs" in shown
    assert ("━" in shown) == (width >= progress.BAR_NEEDS)


def test_several_recipes_are_named(
    jobs: list[Job], report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Job(make_recipe(tmp_path, name="tests/other"), "upstream", 3)
    lines = show([jobs[0], other], report, monkeypatch, width=80, terminal=False)
    assert lines[0].startswith("failed 1/2 tests/other upstream seed 3: ")
    assert lines[1].startswith("done 2/2 tests/digits no_aug seed 0: ")


def test_auroc_is_named_where_it_selects(report: Report) -> None:
    shown = summary(report, Selection(metric="auroc"))
    scores = report.selected or report.last
    assert shown.startswith("AUROC val ")
    assert f"test {100 * scores.test.auroc:.1f} " in shown
    assert summary(report, Selection(metric="loss")) == summary(report, Selection())
