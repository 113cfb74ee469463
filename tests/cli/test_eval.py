"""`saflex eval`: one trained model, class by class."""

import csv
import json
from pathlib import Path

import pytest

from saflex_cli.cli.per_class import as_csv, class_scores
from saflex_cli.experiment import Evaluation
from saflex_cli.store.report import Metrics, Report
from tests.cli.conftest import Saflex

REPORT = "results/reports/tests/digits/no_aug/seed-0.json"
CHECKPOINT = "runs/tests/digits/no_aug/seed-0/selected.safetensors"
NO_AUG = ("tests/digits", "--method", "no_aug", "--seed", "0")


def test_json_alone_on_stdout_agrees_with_the_report(saflex: Saflex, trained: Path) -> None:
    result = saflex("eval", *NO_AUG, "--json")
    found = json.loads(result.stdout)
    report = Report.model_validate_json((trained / REPORT).read_bytes())
    assert report.selected is not None
    assert found["metrics"] == pytest.approx(report.selected.test.model_dump())
    assert (found["split"], found["state"], found["n"]) == ("test", "selected", report.data.test)
    assert sum(row["n"] for row in found["classes"]) == report.data.test
    recall = sum(row["recall"] * row["n"] for row in found["classes"]) / report.data.test
    assert recall == pytest.approx(report.selected.test.accuracy)


@pytest.mark.usefixtures("trained")
def test_a_checkpoint_file_is_the_same_run(saflex: Saflex) -> None:
    assert saflex("eval", CHECKPOINT, "--json").stdout == saflex("eval", *NO_AUG, "--json").stdout


@pytest.mark.usefixtures("trained")
def test_a_table_per_class(saflex: Saflex) -> None:
    lines = saflex("eval", *NO_AUG, "--split", "val").stdout.splitlines()
    assert lines[0] == "tests/digits no_aug seed 0: val split, selected epoch, n = 60"
    assert lines[1].split() == ["class", "n", "precision", "recall", "F1"]
    assert len(lines) == 1 + 2 + 10 + 1
    assert lines[-1].startswith("accuracy ")


@pytest.mark.usefixtures("trained")
def test_the_last_state_where_none_is_selected(saflex: Saflex) -> None:
    result = saflex("eval", "tests/digits", "--method", "upstream", "--seed", "1", "--json")
    assert json.loads(result.stdout)["state"] == "last"


def test_predictions_are_written_and_no_report(saflex: Saflex, trained: Path) -> None:
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    result = saflex("eval", *NO_AUG, "--split", "val", "--json", "--predictions", "out/predictions.csv")
    rows = list(csv.DictReader((trained / "out/predictions.csv").read_text().splitlines()))
    assert list(rows[0]) == ["index", "label", "predicted", *(f"p_{k}" for k in range(10))]
    assert [int(row["index"]) for row in rows] == list(range(60))
    right = sum(row["label"] == row["predicted"] for row in rows)
    assert right / 60 == pytest.approx(json.loads(result.stdout)["metrics"]["accuracy"])
    after = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    assert after == before | {trained / "out/predictions.csv": (trained / "out/predictions.csv").read_bytes()}


@pytest.mark.usefixtures("trained")
def test_a_checkpoint_that_is_not_there_says_how_to_make_it(saflex: Saflex) -> None:
    result = saflex("eval", "tests/digits", "--method", "saflex_paper", "--seed", "0")
    assert result.exit_code == 1
    assert result.stderr.endswith("make it with: saflex train tests/digits --method saflex_paper --seed 0\n")
    Path(CHECKPOINT).unlink()
    assert saflex("eval", *NO_AUG).stderr.endswith("--seed 0 --out runs/again, then add --out runs/again here\n")


@pytest.mark.usefixtures("trained")
def test_a_truncated_checkpoint(saflex: Saflex) -> None:
    Path("half.safetensors").write_bytes(Path(CHECKPOINT).read_bytes()[:500])
    result = saflex("eval", "half.safetensors")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: half.safetensors: ")


def test_scores_by_hand() -> None:
    """Labels 0 0 1 2, predictions 0 1 1 1: class 1 has precision 1/3 and recall 1; class 2 is never predicted."""
    evaluation = Evaluation(
        recipe="r",
        method="m",
        seed=0,
        split="test",
        state="last",
        metrics=Metrics(accuracy=0.5, auroc=0.5, loss=1.0),
        labels=[0, 0, 1, 2],
        probabilities=[[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.6, 0.3], [0.0, 0.6, 0.4]],
        class_names=["cat", "dog, small", "owl"],
    )
    rows = [(row.name, row.n, row.precision, row.recall, row.f1) for row in class_scores(evaluation)]
    assert rows == [
        ("cat", 2, 1.0, 0.5, pytest.approx(2 / 3)),
        ("dog, small", 1, pytest.approx(1 / 3), 1.0, 0.5),
        ("owl", 1, 0.0, 0.0, 0.0),
    ]
    lines = as_csv(evaluation).splitlines()
    assert lines[0] == 'index,label,predicted,p_cat,"p_dog, small",p_owl'
    assert lines[2] == "1,0,1,0.2,0.7,0.1"
