"""Golden tables. `SAFLEX_UPDATE_GOLDEN=1 python -m pytest tests/store` writes them anew: review what changed."""

import csv
import io
import os
import re
from pathlib import Path
from typing import get_args

import pytest

from saflex_cli.config.load import load_recipe
from saflex_cli.store.aggregate import TableData, build_table
from saflex_cli.store.render import Format, render
from saflex_cli.store.table import load_table

from .conftest import write_all, write_values

GOLDEN = Path(__file__).parents[1] / "golden" / "tables"


@pytest.fixture(params=["one", "two"])
def data(request: pytest.FixtureRequest, folder: Path, filled: Path) -> TableData:
    return build_table(load_table(folder / f"{request.param}.yaml"), filled)


def _one(folder: Path, results: Path, *, allow_missing: bool = False) -> TableData:
    return build_table(load_table(folder / "one.yaml"), results, allow_missing)


@pytest.mark.parametrize("kind", get_args(Format))
def test_golden(data: TableData, kind: Format):
    path = GOLDEN / f"{data.table.name}.{kind}"
    if os.environ.get("SAFLEX_UPDATE_GOLDEN"):
        path.write_text(render(data, kind), encoding="utf-8")
    assert render(data, kind) == path.read_text(encoding="utf-8")


def test_every_markdown_table_has_equal_rows(data: TableData):
    blocks = re.findall(r"(?:^\|.*\|\n)+", render(data, "md"), flags=re.MULTILINE)
    rows = {"one": [4, 4, 1], "two": [4, 2, 4, 4]}
    assert [block.count("\n") - 2 for block in blocks] == rows[data.table.name]
    for block in blocks:
        lines = block.splitlines()
        assert {len(line) for line in lines} == {len(lines[0])}
        assert {line.count("|") for line in lines} == {lines[0].count("|")}
        assert re.fullmatch(r"\| -{3,} (\| -{2,}: )+\|", lines[1])


def test_tex_braces_balance_and_rows_have_their_columns(data: TableData):
    text = render(data, "tex")
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    bare = re.sub(r"\\[{}]", "", body)
    depths = [bare[:end].count("{") - bare[:end].count("}") for end in range(len(bare) + 1)]
    assert min(depths) == depths[-1] == 0
    assert len(re.findall(r"(?<!\\)\$", body)) % 2 == 0
    assert not re.search(r"(?<!\\)[#_%]", body)
    for columns, inner in re.findall(r"\\begin{tabular}{(\w+)}(.*?)\\end{tabular}", body, flags=re.DOTALL):
        rows = [line for line in inner.splitlines() if line.endswith(r"\\")]
        assert len(rows) in (2, 3, 1 + len(data.table.rows))
        assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {len(columns)}
        assert not any(row.startswith(("[", "*")) for row in rows)


def test_tex_escapes_every_special_character(folder: Path, filled: Path):
    path = folder / "one.yaml"
    path.write_text(
        path.read_text().replace("title: no augmentation", r"title: '*resnet-18_a & 5 % #1 $x {y} ~z ^w \v'")
    )
    escaped = r"{}*resnet-18\_a \& 5 \% \#1 \$x \{y\} \textasciitilde{}z \textasciicircum{}w \textbackslash{}v & 91.17"
    assert escaped in render(_one(folder, filled), "tex")


def test_csv_has_one_line_per_column_and_row(data: TableData):
    lines = list(csv.DictReader(io.StringIO(render(data, "csv"))))
    assert len(lines) == len(data.table.columns) * len(data.table.rows)
    assert all(None not in line and None not in line.values() for line in lines)
    saflex = lines[3]
    assert float(saflex["baseline_low"]) <= float(saflex["baseline_difference"]) <= float(saflex["baseline_high"])
    assert {line["n"] for line in lines} == {"3"}


def test_bold_is_where_the_interval_excludes_zero(data: TableData):
    for text in re.findall(r"[*]*[+-]\d+\.\d\d \[.*?\][*]*", render(data, "md")):
        low, high = re.search(r"\[(.*), (.*)\]", text).groups()
        assert text.startswith("**") == (float(low) > 0 or float(high) < 0)


def _widest(text: str) -> int:
    return max(len(line) for line in text.splitlines())


def test_one_recipe_fits_a_terminal(folder: Path, filled: Path):
    assert _widest(render(_one(folder, filled), "md")) <= 80


def test_large_differences_still_fit_a_terminal(folder: Path, filled: Path):
    write_values(filled, load_recipe(folder / "digits.yaml"), "no_aug", (62.0, 62.0, 62.0))
    text = render(_one(folder, filled), "md")
    assert "**-31.00 [-33.48, -28.52]**" in text
    assert text.count("## Paired differences") == 2, "each reference has a table of its own"
    assert _widest(text) <= 80


def test_published_numbers_of_one_recipe_fit_a_terminal(folder: Path, filled: Path):
    path = folder / "one.yaml"
    where = 'title: Digits, published: {table: "1", column: pathmnist, backbone: resnet18}'
    text = path.read_text().replace("title: Digits}", where + "}")
    path.write_text(text.replace("title: no augmentation}", "title: no augmentation, published: no_aug}"))
    text = render(_one(folder, filled), "md")
    assert "| no augmentation       | 91.17 ± 1.26 | 90.67 ± 1.26 | 94.34 ± 0.18 |   3 |" in text
    assert "paper: mean ± deviation as published." in text
    assert _widest(text) <= 80


def test_missing_reports_are_marked(folder: Path, results: Path):
    write_values(results, load_recipe(folder / "digits.yaml"), "upstream", (92.0, 93.0))
    text = render(_one(folder, results, allow_missing=True), "md")
    assert "| upstream              | 92.50 ± 0.71 | 92.00 ± 0.71 | 2/3 |" in text
    assert "| SAFLEX proximal       |            – |            – | 0/3 |" in text
    assert "Incomplete: reports are missing." in text
    assert "saflex table recipes/one.yaml --write --allow-missing" in text
    assert _widest(text) <= 80


def test_missing_reports_are_marked_beside_several_recipes(folder: Path, filled: Path):
    (filled / "reports" / "smoke" / "other" / "upstream" / "seed-2.json").unlink()
    text = render(build_table(load_table(folder / "two.yaml"), filled, allow_missing=True), "md")
    assert "93.50 ± 0.71 (n = 2/3)" in text


def test_one_seed_has_no_spread(folder: Path, results: Path):
    for path in (folder / "digits.yaml", folder / "other.yaml"):
        path.write_text(path.read_text().replace("[0, 1, 2]", "[0]"))
    write_all(results, load_recipe(folder / "digits.yaml"))
    text = render(_one(folder, results), "md")
    assert "Test accuracy in percent, 1 seed.\n" in text
    assert "| no augmentation       |    90.00 |      89.50 |   1 |" in text
    assert "-2.00 |" in text
    assert "**" not in text


def test_a_difference_that_rounds_to_zero_has_no_minus_sign(folder: Path, filled: Path):
    write_values(filled, load_recipe(folder / "digits.yaml"), "no_aug", (91.999, 92.999, 93.999))
    assert "+0.00 [+0.00, +0.00]" in render(_one(folder, filled), "md")


def test_notes_are_there_only_where_needed(folder: Path, filled: Path):
    path = folder / "one.yaml"
    lines = [line for line in path.read_text().splitlines() if "trainval" not in line and "SAFLEX" not in line]
    path.write_text("\n".join(lines))
    text = render(_one(folder, filled), "md")
    assert "- Selected: epoch chosen by validation accuracy.\n" in text
    assert not any(word in text for word in ("train+val", "twice", "†", "weight", "paper", "Incomplete"))


def test_metrics_and_verdicts_are_said(folder: Path, filled: Path):
    path = folder / "two.yaml"
    changed = 'title: "Other [%]", metric: accuracy, not_comparable: Another set.'
    path.write_text(path.read_text().replace('title: "Other [%]"', changed))
    text = " ".join(render(build_table(load_table(path), filled), "md").split())
    assert "Test AUROC (Other [%]: accuracy) in percent" in text.replace("\\", "")
    assert "not comparable with the paper. Another set." in text
