import json
from pathlib import Path

import pytest

from saflex_cli.config.load import load_recipe
from saflex_cli.config.schema import Recipe
from saflex_cli.errors import ResultsError
from saflex_cli.store.aggregate import Cell, TableData, build_table
from saflex_cli.store.entries import headline_entry
from saflex_cli.store.files import report_path, write_report
from saflex_cli.store.published import Published
from saflex_cli.store.table import load_table

from .conftest import VALUES, make_report, write_values
from .test_table import SEVERAL


@pytest.fixture
def data(folder: Path, filled: Path) -> TableData:
    return build_table(load_table(folder / "one.yaml"), filled)


def _cells(data: TableData) -> dict[str, Cell]:
    return {row.method: cell for row, cell in zip(data.table.rows, data.cells[0], strict=True)}


def test_values_by_seed(data: TableData):
    cell = _cells(data)["no_aug"]
    assert (cell.seeds, cell.expected) == ((0, 1, 2), 3)
    assert cell.selected.values == (0.9, 0.91, 0.925)
    assert cell.last.values == pytest.approx((0.895, 0.905, 0.92))
    assert data.is_complete


def test_the_metric_is_the_tables(folder: Path, filled: Path):
    digits, _ = build_table(load_table(folder / "two.yaml"), filled).cells
    assert digits[0].selected.values == pytest.approx((0.91, 0.92, 0.935))
    assert digits[0].published == Published(94.34, 0.18)
    assert digits[1].published is None


def test_a_row_trained_on_validation_has_no_selected_epoch(data: TableData):
    cell = _cells(data)["upstream_trainval"]
    assert cell.selected is None
    assert cell.headline == cell.last


def test_differences_are_taken_at_the_selected_epoch_of_both_sides(data: TableData):
    """SAFLEX 94.1, 95.0, 96.2 against upstream 92, 93, 94: 2.1, 2.0, 2.2, so 2.1 ± 4.30265 · 0.1 / √3."""
    comparison = _cells(data)["saflex_proximal"].to_baseline
    assert comparison.epoch == "selected"
    assert comparison.difference.mean == pytest.approx(0.021)
    assert comparison.difference.interval == pytest.approx((0.0185159, 0.0234841), abs=1e-7)


def test_differences_to_the_fair_row_are_taken_at_the_last_epoch_of_both_sides(data: TableData):
    """Last epochs 93.6, 94.5, 95.7 against 93.5, 95.0, 94.5: 0.1, -0.5, 1.2, so 0.8 / 3."""
    comparison = _cells(data)["saflex_proximal"].to_fair
    assert comparison.epoch == "last"
    assert comparison.difference.mean == pytest.approx(0.008 / 3)


def test_a_side_without_selected_epoch_moves_both_to_the_last(data: TableData):
    """Last epochs 93.5, 95.0, 94.5 against 91.5, 92.5, 93.5: 2.0, 2.5, 1.0, so 5.5 / 3."""
    comparison = _cells(data)["upstream_trainval"].to_baseline
    assert comparison.epoch == "last"
    assert comparison.difference.mean == pytest.approx(0.055 / 3)


def test_a_row_is_not_compared_with_itself(data: TableData):
    cells = _cells(data)
    assert cells["upstream"].to_baseline is None
    assert cells["upstream"].to_fair is not None
    assert cells["upstream_trainval"].to_fair is None


def test_saflex_facts_are_means_over_seeds(data: TableData):
    facts = _cells(data)["saflex_proximal"].saflex
    assert (facts.weight, facts.label_change_rate, facts.dropped_steps) == pytest.approx((0.91, 0.125, 1.0))
    assert _cells(data)["upstream"].saflex is None


def test_seeds_outside_the_recipe_do_not_count(folder: Path, filled: Path, recipe: Recipe):
    write_report(filled, make_report(recipe, "upstream", 9, 0.1), [])
    cell = _cells(build_table(load_table(folder / "one.yaml"), filled))["upstream"]
    assert cell.seeds == (0, 1, 2)


def test_missing_reports_are_listed_with_their_command(folder: Path, filled: Path, recipe: Recipe):
    gone = [report_path(filled, recipe.name, "upstream", seed) for seed in (0, 2)]
    for path in gone:
        path.unlink()
    with pytest.raises(ResultsError) as error:
        build_table(load_table(folder / "two.yaml"), filled)
    assert str(error.value).splitlines() == [
        "table two: 2 reports missing or not usable:",
        f"  {gone[0]}: missing",
        f"  {gone[1]}: missing",
        "make them with:",
        f"  saflex train recipes/two.yaml --out {filled}",
    ]


def test_a_long_list_is_cut(folder: Path, results: Path):
    with pytest.raises(ResultsError) as error:
        build_table(load_table(folder / "two.yaml"), results)
    lines = str(error.value).splitlines()
    assert lines[0] == "table two: 24 reports missing or not usable:"
    assert lines[11:] == [
        "  … and 14 more",
        "make them with:",
        f"  saflex train recipes/two.yaml --out {results}",
    ]


@pytest.mark.parametrize("allow_missing", [False, True])
def test_a_stale_report_is_an_error_even_where_missing_ones_are_not(folder: Path, filled: Path, allow_missing: bool):
    path = folder / "digits.yaml"
    path.write_text(path.read_text().replace("label_retention: 1.0", "label_retention: 2.0"))
    with pytest.raises(ResultsError) as error:
        build_table(load_table(folder / "one.yaml"), filled, allow_missing=allow_missing)
    assert "3 reports missing or not usable" in str(error.value)
    assert "method.settings.label_retention: 1.0 → 2.0" in str(error.value)
    command = f"  saflex train recipes/digits.yaml --out {filled} --method saflex_proximal --seed 2 --force"
    assert command in str(error.value)


@pytest.mark.parametrize("allow_missing", [False, True])
def test_a_report_with_nan_is_an_error(folder: Path, filled: Path, recipe: Recipe, allow_missing: bool):
    path = report_path(filled, recipe.name, "no_aug", 1)
    path.write_text(path.read_text().replace('"accuracy": 0.91', '"accuracy": NaN'))
    with pytest.raises(ResultsError, match=r"1 report missing or not usable[^~]*seed-1\.json: not a whole report"):
        build_table(load_table(folder / "one.yaml"), filled, allow_missing=allow_missing)


def test_allow_missing_uses_what_is_there(folder: Path, results: Path):
    recipe = load_recipe(folder / "digits.yaml")
    write_values(results, recipe, "upstream", (92.0, 93.0))
    write_values(results, recipe, "saflex_proximal", (94.0,))
    data = build_table(load_table(folder / "one.yaml"), results, allow_missing=True)
    cells = _cells(data)
    assert not data.is_complete
    assert [len(cell.seeds) for cell in cells.values()] == [0, 2, 0, 1]
    assert cells["no_aug"].headline is None
    assert cells["no_aug"].to_baseline is None
    assert cells["saflex_proximal"].to_fair is None
    assert cells["saflex_proximal"].selected.std is None
    assert cells["saflex_proximal"].to_baseline.difference.mean == pytest.approx(0.02)
    assert cells["saflex_proximal"].to_baseline.difference.interval is None


def test_reports_on_different_data_are_not_compared(folder: Path, filled: Path, recipe: Recipe):
    path = report_path(filled, recipe.name, "upstream", 1)
    other = json.loads(path.read_text())
    other["data"]["sha256"] = "1" * 64
    path.write_text(json.dumps(other))
    with pytest.raises(ResultsError, match="smoke/digits: reports were made on different data"):
        build_table(load_table(folder / "one.yaml"), filled)


def test_rows_of_several_recipes_are_compared_within_their_own(folder: Path, filled: Path):
    """The second recipe's upstream is at 80: its refined row is compared with that, not with the first's 93."""
    (folder / "several.yaml").write_text(SEVERAL)
    write_values(filled, load_recipe(folder / "other.yaml"), "upstream", (80.0, 80.0, 80.0))
    [cells] = build_table(load_table(folder / "several.yaml"), filled).cells
    assert [cell.headline.mean for cell in cells[1:3]] == pytest.approx([0.93, 0.80])
    assert [cell.to_baseline is None for cell in cells] == [False, True, True, False]
    assert cells[0].to_baseline.difference.mean == pytest.approx(-0.055 / 3)
    assert cells[3].to_baseline.difference.mean == pytest.approx(0.151)


def test_a_method_with_seeds_of_its_own_is_complete_with_them(folder: Path, results: Path):
    path = folder / "digits.yaml"
    path.write_text(path.read_text().replace("{name: no_aug}", "{name: no_aug, seeds: [1]}"))
    recipe = load_recipe(path)
    for label, values in VALUES.items():
        if label != "no_aug":
            write_values(results, recipe, label, values)
    write_report(results, make_report(recipe, "no_aug", 1, 0.91), [])
    data = build_table(load_table(folder / "one.yaml"), results)
    cell = _cells(data)["no_aug"]
    assert data.is_complete
    assert (cell.seeds, cell.expected, cell.usual) == ((1,), 1, 3)
    assert cell.to_baseline.difference.n == 1
    assert headline_entry(cell).text == "91.00 (n = 1)"
