"""`saflex data`: list, fetch, verify."""

import dataclasses
from functools import partial
from pathlib import Path

import pytest

from saflex_cli.cli import data_sets
from saflex_cli.data.tables.facts import FACTS, Counts
from saflex_cli.data.tables.named import fetch_table
from tests.cli.conftest import Saflex
from tests.data.tables.made_up import random_values, write
from tests.data.test_download import CONTENT, MD5, Server, server
from tests.recipes import write_recipe

__all__ = ["server"]

MINE = "age,city,outcome\n" + "".join(f"{20 + row},{'abc'[row % 3]},{row % 2}\n" for row in range(60))


@pytest.fixture
def small_click(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up Click file that counts as the one the facts are about."""
    counts = Counts(60, 5, 6, 30)
    monkeypatch.setitem(FACTS, "click", dataclasses.replace(FACTS["click"], counts=counts))
    names = "click impression url_hash ad_id advertiser_id depth position query_id keyword_id title_id description_id"
    header = ",".join(f'"{name}"' for name in [*names.split(), "user_id"])
    rows = "".join(f'"{n % 2}",{",".join(map(str, row))}\n' for n, row in enumerate(random_values(60, 11)))
    write(project, "data/tabular/click/Click_prediction_small.csv", f"{header}\n{rows}")
    return project


def test_list_says_what_is_there_and_where_the_rest_goes(saflex: Saflex, small_click: Path) -> None:
    assert small_click
    result = saflex("data", "list")
    assert result.exit_code == 0
    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if len(line.split()) > 2}
    assert rows["click"] == ["found", "tabular/click/Click_prediction_small.csv"]
    assert rows["qsar"] == ["missing", "tabular/qsar/biodeg.csv"]
    assert rows["pathmnist"] == ["missing", "medmnist/pathmnist.npz"]
    assert rows["digits"][0] == "found"
    assert "qsar" not in saflex("data", "list", "click").stdout


@pytest.mark.usefixtures("project")
def test_the_list_fits_into_80_columns(saflex: Saflex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert "…" not in saflex("data", "list").stdout


def test_verify_prints_every_difference_to_table_5(saflex: Saflex, small_click: Path) -> None:
    assert small_click
    result = saflex("data", "verify")
    assert result.exit_code == 0
    assert "60 rows; 5 continuous and 6 categorical features; 30 positive (50.00 %)" in result.stdout
    assert f"not {FACTS['click'].sha256}: line ends, compression or content differ" in result.stdout
    for difference in ("rows: 39,948 rather than 60", "features: 12 rather than 11", "categorical: 7 rather than 6"):
        assert difference in result.stdout
    assert "remark: Table 5 counts the label `click` as a seventh categorical feature" in result.stdout


def test_verify_goes_on_after_a_failure(saflex: Saflex, small_click: Path) -> None:
    assert small_click
    result = saflex("data", "verify", "qsar", "click", "clik")
    assert result.exit_code == 1
    assert "30 positive" in result.stdout
    assert "biodeg.csv: no such file" in result.stderr
    assert "clik: neither a data set nor a file; did you mean click?" in result.stderr


def test_verify_a_file_of_ones_own(saflex: Saflex, project: Path) -> None:
    write(project, "mine.csv", MINE)
    result = saflex("data", "verify", "mine.csv", "--target", "outcome")
    assert result.exit_code == 0
    assert "60 rows; classes in outcome: 0 (30), 1 (30)" in result.stdout
    assert "continuous, 1: age\ncategorical, 1: city (3 levels)" in result.stdout
    assert "0 rows equal an earlier one" in result.stdout
    without = saflex("data", "verify", "mine.csv")
    assert (without.exit_code, "say which column is the class" in without.stderr) == (1, True)


def test_fetch_downloads_what_has_an_address(
    saflex: Saflex,
    project: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(FACTS, "qsar", dataclasses.replace(FACTS["qsar"], url=server.url(), md5=MD5))
    monkeypatch.setattr(data_sets, "fetch_table", partial(fetch_table, allow_local=True))
    assert "qsar: fetched, MD5 verified" in saflex("data", "fetch", "qsar").stdout
    assert (project / "data/tabular/qsar/biodeg.csv").read_bytes() == CONTENT
    assert "qsar: is there already" in saflex("data", "fetch", "qsar").stdout


@pytest.mark.usefixtures("project")
def test_fetch_says_what_to_do_by_hand(saflex: Saflex) -> None:
    result = saflex("data", "fetch", "creditcard", "volkert")
    assert result.exit_code == 1
    assert "data/tabular/creditcard/creditcard.csv: no such file; fetch it from https://www.kaggle.com" in result.stderr
    assert (
        "data/tabular/volkert/volkert.arff: no such file; fetch it from https://www.openml.org/d/41166" in result.stderr
    )


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("words", [[], ["show"], ["fetch"]])
def test_wrong_usage(saflex: Saflex, words: list[str]) -> None:
    assert saflex("data", *words).exit_code == 2


@pytest.mark.usefixtures("project")
def test_nothing_to_verify(saflex: Saflex) -> None:
    result = saflex("data", "verify")
    assert result.exit_code == 1
    assert "holds no data set yet" in result.stderr


def test_training_shows_how_the_columns_are_read(saflex: Saflex, project: Path) -> None:
    write(project, "data/mine.csv", MINE.replace(",a,", ",0,").replace(",b,", ",1,").replace(",c,", ",2,"))
    recipe = write_recipe(
        project,
        data={"name": "csv", "path": "mine.csv", "target": "outcome", "stratify": True},
        model={"name": "mlp", "hidden": [4]},
        augmenter={"name": "gaussian_noise", "std": 0.1},
        methods=[{"name": "no_aug"}],
        train={"epochs": 1, "batch_size": 16},
        seeds=[0],
    )
    result = saflex("train", str(recipe), "--data-root", "data")
    assert result.exit_code == 0, result.output
    assert "data: continuous, 2: age, city\ndata: categorical, 0: none" in result.stdout
    report = next(Path("results/reports").rglob("seed-0.json")).read_text()
    assert '"duplicates_across_splits": 0' in report
