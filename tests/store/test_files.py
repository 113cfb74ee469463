import os
from pathlib import Path

import pytest

from saflex_cli.config.identity import find_method
from saflex_cli.config.load import load_recipe
from saflex_cli.config.schema import Recipe
from saflex_cli.errors import ResultsError
from saflex_cli.store.files import curve_path, find_report, read_report, report_path, write_report, write_text

from .conftest import VALUES, make_report, make_row


@pytest.fixture
def written(results: Path, recipe: Recipe) -> Path:
    return write_report(
        results, make_report(recipe, "saflex_proximal", 0, 0.95), [make_row(epoch=1), make_row(epoch=2)]
    )


def test_paths(results: Path):
    assert report_path(results, "a/b", "upstream", 3) == results / "reports" / "a" / "b" / "upstream" / "seed-3.json"
    assert curve_path(results, "a/b", "upstream", 3) == results / "reports" / "a" / "b" / "upstream" / "seed-3.csv"


def test_a_report_is_read_back_in_full(written: Path, recipe: Recipe):
    assert read_report(written) == make_report(recipe, "saflex_proximal", 0, 0.95)


def test_writing_twice_gives_the_same_bytes(written: Path, results: Path, recipe: Recipe):
    before = written.read_bytes()
    write_report(results, make_report(recipe, "saflex_proximal", 0, 0.95), [])
    assert written.read_bytes() == before


@pytest.mark.parametrize("label", VALUES)
def test_a_report_is_small(results: Path, recipe: Recipe, label: str):
    path = write_report(results, make_report(recipe, label, 0, 1 / 3), [])
    assert path.stat().st_size <= 4096


def test_the_curve_leaves_empty_what_is_absent(written: Path):
    assert written.with_suffix(".csv").read_text() == (
        "epoch,train_loss,val_accuracy,val_auroc,val_macro_f1,val_loss,mean_weight,label_change_rate,dropped_steps\n"
        "1,0.333333,0.5,,,2e-07,,,4\n"
        "2,0.333333,0.5,,,2e-07,,,4\n"
    )


def test_a_full_disk_leaves_no_file(results: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResultsError, match=r"seed-0\.csv: cannot be written \(No space left"):
        write_report(results, make_report(recipe, "upstream", 0, 0.9), [make_row(epoch=1)])
    assert [path for path in results.rglob("*") if path.is_file()] == []


def test_an_interrupted_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "file.txt"
    write_text(path, "old")
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "new")
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("file.txt", "old")]


def test_a_folder_that_is_a_file(tmp_path: Path):
    (tmp_path / "results").write_text("")
    with pytest.raises(ResultsError, match="cannot be written"):
        write_text(tmp_path / "results" / "tables" / "t.md", "text")


def test_a_missing_report(tmp_path: Path):
    with pytest.raises(ResultsError, match=r"seed-0\.json: there is no such report; `saflex train`"):
        read_report(tmp_path / "seed-0.json")


def test_an_unreadable_report(tmp_path: Path):
    with pytest.raises(ResultsError, match="cannot be read"):
        read_report(tmp_path)


def _replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_truncated_report(written: Path):
    written.write_text(written.read_text()[:400])
    with pytest.raises(ResultsError, match=r"seed-0\.json: not a whole report \(Invalid JSON.*--force"):
        read_report(written)


def test_a_report_with_nan(written: Path):
    _replaced(written, '"accuracy": 0.95', '"accuracy": NaN')
    with pytest.raises(ResultsError, match=r"selected\.val\.accuracy: Input should be a finite number"):
        read_report(written)


def test_a_report_of_another_format(written: Path):
    _replaced(written, '"format": 1', '"format": 2')
    with pytest.raises(ResultsError, match="format: Input should be 1"):
        read_report(written)


def test_a_run_without_report_is_unfinished(results: Path, recipe: Recipe):
    assert find_report(results, recipe, find_method(recipe, "upstream"), 0) is None


def test_a_finished_run_is_found(written: Path, results: Path, recipe: Recipe):
    assert find_report(results, recipe, find_method(recipe, "saflex_proximal"), 0) == read_report(written)


def test_a_stale_report_names_its_differences(written: Path, results: Path, folder: Path):
    overrides = ["optimizer.lr=0.01", "train.epochs=4", "model.width=8", "train.batch_size=64", "data.val=200"]
    changed = load_recipe(folder / "digits.yaml", overrides)
    with pytest.raises(ResultsError) as error:
        find_report(results, changed, find_method(changed, "saflex_proximal"), 0)
    assert str(written) in str(error.value)
    assert "data.val: 250 → 200; model.width: 16 → 8; optimizer.lr: 0.001 → 0.01; and 2 more" in str(error.value)
    assert "`saflex train … --force` replaces it" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"method": "saflex_proximal"', '"method": "upstream"', "method: upstream → saflex_proximal"),
        ('"recipe": "tests/digits"', '"recipe": "tests/other"', "recipe: tests/other → tests/digits"),
        ('"config_hash": "', '"config_hash": "0', "config_hash: not that of the configuration"),
    ],
)
def test_an_edited_report_is_not_trusted(
    written: Path, results: Path, recipe: Recipe, old: str, new: str, message: str
):
    assert old.replace("tests/digits", recipe.name) in written.read_text()
    _replaced(written, old.replace("tests/digits", recipe.name), new)
    with pytest.raises(ResultsError, match=message.replace("tests/digits", recipe.name)):
        find_report(results, recipe, find_method(recipe, "saflex_proximal"), 0)


def test_an_accuracy_in_percent_is_refused(written: Path):
    _replaced(written, '"accuracy": 0.95', '"accuracy": 95.0')
    with pytest.raises(ResultsError, match="accuracy: Input should be less than or equal to 1"):
        read_report(written)


def test_a_device_is_not_replaced_by_a_file():
    with pytest.raises(ResultsError, match="is not a regular file"):
        write_text(Path("/dev/null"), "text")
    assert Path("/dev/null").is_char_device()


def test_a_link_stays_a_link(tmp_path: Path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_a_copied_report_is_not_another_seed(written: Path, results: Path, recipe: Recipe):
    written.with_name("seed-1.json").write_bytes(written.read_bytes())
    with pytest.raises(ResultsError, match="seed: 0 → 1"):
        find_report(results, recipe, find_method(recipe, "saflex_proximal"), 1)
