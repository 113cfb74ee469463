"""The cost of a plan, judged by reports."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from saflex_cli.cli.costs import Costs
from saflex_cli.cli.plan import load_recipes, plan_runs
from saflex_cli.config.identity import run_config
from saflex_cli.store.files import report_path
from saflex_cli.store.report import Report
from tests.cli.conftest import Saflex

RESULTS = Path("results")


def set_seconds(seconds: float, **environment: object) -> None:
    """The training time, in every report of `no_aug`; one epoch of 100 samples each."""
    for seed in (0, 1):
        path = report_path(RESULTS, "tests/digits", "no_aug", seed)
        report = json.loads(path.read_text())
        report["timing"]["train_seconds"] = seconds
        report["environment"] |= environment
        path.write_text(json.dumps(report))


@pytest.fixture
def announced(trained: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:  # noqa: ARG001
    for seed in (0, 1):
        report_path(RESULTS, "tests/digits", "upstream_trainval", seed).unlink()

    def announce(*overrides: str) -> list[str]:
        plan = plan_runs(load_recipes(["tests/digits"], overrides), results=RESULTS)
        Costs.read([RESULTS]).announce(plan)
        return capsys.readouterr().out.splitlines()

    return announce


def test_seconds_per_sample_and_epoch_carry_over_to_runs_of_the_same_kind(announced: Callable[..., list[str]]) -> None:
    """50 s for 100 samples; train+val has 160, so 80 s for each of two seeds; SAFLEX has no report to judge by."""
    set_seconds(50.0, device="cuda (H200)", threads=4)
    assert announced() == [
        "2 runs to do: about 3 min one after the other, as on cuda (H200), 4 threads",
        "4 runs to do: no report to judge their cost by",
    ]


def test_more_epochs_cost_more_and_another_precision_is_another_kind(announced: Callable[..., list[str]]) -> None:
    set_seconds(3600.0, device="cpu", threads=1)
    longer = announced("train.epochs=100", "name=tests/other")
    assert longer[0] == "4 runs to do: about 520 h one after the other, as on cpu, 1 thread"
    assert announced("train.precision=bfloat16", "name=tests/other") == []


def test_equally_many_updates_cost_the_same_on_more_samples(announced: Callable[..., list[str]]) -> None:
    """2 batches of 50 are 100 samples per epoch, for train+val as well."""
    set_seconds(3600.0, device="cpu", threads=1)
    changes = ("train.epochs=100", "train.batch_size=50", "train.updates_per_epoch=2", "name=tests/other")
    assert announced(*changes)[0] == "4 runs to do: about 400 h one after the other, as on cpu, 1 thread"


def test_the_machine_with_most_reports_speaks(announced: Callable[..., list[str]]) -> None:
    set_seconds(50.0, device="cpu", threads=1)
    path = report_path(RESULTS, "tests/digits", "no_aug", 1)
    other = report_path(RESULTS, "tests/elsewhere", "no_aug", 0)
    other.parent.mkdir(parents=True)
    for _ in range(2):
        other.write_text(path.read_text().replace('"cpu"', '"slow cpu"').replace("50.0", "9000.0"))
    assert "as on cpu, 1 thread" in announced()[0]


def test_training_says_it_first(announced: Callable[..., list[str]], saflex: Saflex) -> None:
    assert announced
    lines = saflex("train", "one", "--dry-run").stdout.splitlines()
    assert lines[0] == "tests/digits: 4 runs, 2 already done, 2 to do; results in results/"
    assert lines[1].startswith("2 runs to do: about ")


def test_seeds_trained_together_tell_nothing_of_a_run_by_itself(announced: Callable[..., list[str]]) -> None:
    for seed in (0, 1):
        path = report_path(RESULTS, "tests/digits", "no_aug", seed)
        report = json.loads(path.read_text())
        report["timing"]["seeds_together"] = 2
        path.write_text(json.dumps(report))
    assert announced() == []


def test_packed_reports_of_studies_tell_too(announced: Callable[..., list[str]]) -> None:
    set_seconds(50.0, device="cuda (H200)", threads=4)
    before = announced()
    pack = RESULTS / "studies" / "any" / "curve" / "0.jsonl"
    pack.parent.mkdir(parents=True)
    lines = []
    for seed in (0, 1):
        path = report_path(RESULTS, "tests/digits", "no_aug", seed)
        lines.append(Report.model_validate_json(path.read_text()).model_dump_json())
        path.unlink()
    pack.write_text("\n".join(lines) + "\n")
    assert announced()[0] == before[0].replace("2 runs", "4 runs").replace("3 min", "4 min")
    pack.write_text("broken")
    assert announced() == []


def test_the_size_of_other_data_is_known_from_reports_of_the_same_data_alone(
    announced: Callable[..., list[str]],
) -> None:
    assert announced
    changes = ["data={name: npz, path: some.npz}", "name=tests/npz"]
    [recipe] = load_recipes(["tests/digits"], changes)
    for seed in (0, 1):
        path = report_path(RESULTS, "tests/digits", "no_aug", seed)
        report = json.loads(path.read_text())
        report["config"] = run_config(recipe, recipe.methods[0])
        report["timing"]["train_seconds"] = 300.0
        path.write_text(json.dumps(report))
    assert announced(*changes)[0].startswith("2 runs to do: about 10 min")
    other = announced("data={name: npz, path: other.npz}", "name=tests/npz")
    assert other == []
