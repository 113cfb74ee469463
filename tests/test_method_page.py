"""The numbers on docs/method.md are those of the committed results, and its table reaches every reading, E1 to E16."""

import csv
import re
from pathlib import Path

import pytest
import yaml

from saflex_cli.store.bench import bench_path, read_benchmark
from tests.core.test_readings import AMBIGUITIES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "method.md").read_text()
RESULTS = ROOT / "results"
METHODS = yaml.safe_load((ROOT / "recipes" / "study" / "readings.yaml").read_text())["methods"]
with (RESULTS / "studies" / "readings.csv").open() as lines:
    MEASURED = {(line["curve"], line["method"]): line for line in csv.DictReader(lines)}
(FIGURE_2B,) = re.findall(r"Π adds (\d+\.\d) points", (ROOT / "docs" / "figure2b.md").read_text())
TITLES = {line["title"]: name for (_, name), line in MEASURED.items()}


def table() -> list[list[str]]:
    found = re.search(r"<!-- readings -->\n(.*?)<!-- end of readings -->", PAGE, flags=re.DOTALL)
    assert found is not None
    _, _, *rows = found[1].strip().splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def method_of(row: list[str]) -> str | None:
    """The study's method with the fields in the row's third cell; of a row without a field, that with its title."""
    _, here, other, digits, _ = row
    if digits == "–":
        return None
    if not other:
        return TITLES[here]
    changed = yaml.safe_load(f"{{{other.strip('`')}}}")
    asked = {"name": "saflex", "preset": "paper", **changed}
    (label,) = (m["label"] for m in METHODS if {key: m[key] for key in m if key != "label"} == asked)
    return label


@pytest.mark.parametrize(("curve", "column"), [("Digits", 3), ("QSAR", 4)])
def test_every_reading_is_the_measured_one(curve: str, column: int) -> None:
    for row in table():
        if name := method_of(row):
            line = MEASURED[curve, name]
            assert line["n"] == line["n_expected"] == "5"
            shown = [float(number) for number in row[column].strip("*").split(" ± ")]
            # The file has four decimals: a half of the last one shown may go either way.
            assert shown == pytest.approx([float(line["mean"]), float(line["std"])], abs=0.00505), row
            p = line["upstream_trainval_p_holm"]
            assert row[column].startswith("**") == bool(p and float(p) < 0.05), row


def test_no_reading_is_left_out() -> None:
    """The plain upstream, and that with BatchNorm of clean data, stand below the table."""
    shown = [name for row in table() if (name := method_of(row))]
    assert len(shown) == len(set(shown))
    assert set(shown) == {name for _, name in MEASURED} - {"upstream", "upstream_bn"}


def test_every_ambiguity_names_its_fields() -> None:
    for name, fields in (AMBIGUITIES | {"E8": {"clean_batch"}}).items():
        rows = [row for row in table() if row[0] == name]
        assert rows, name
        for field in fields:
            assert any(re.search(rf"\b{field}: ", row[2]) for row in rows), (name, field)


def rows_of(table: str) -> dict[tuple[str, str], dict[str, str]]:
    with (RESULTS / "tables" / f"{table}.csv").open() as lines:
        return {(line["recipe"], line["method"]): line for line in csv.DictReader(lines)}


def mean(name: str, curve: str = "Digits") -> str:
    return f"{float(MEASURED[curve, name]['mean']):.2f}"


def difference(line: dict[str, str], side: str, *, interval: bool = True) -> str:
    middle, low, high = (f"{abs(float(line[f'{side}_{part}'])):.2f}" for part in ("difference", "low", "high"))
    return f"{middle} points [{low}, {high}]" if interval else middle


def sentences() -> list[str]:
    """What the prose must say, from the committed results."""
    paper, qsar = MEASURED["Digits", "as_printed"], MEASURED["QSAR", "as_printed"]
    dropping = MEASURED["QSAR", "e3_printed_sum"]
    quickstart, tables = rows_of("quickstart"), rows_of("tabular-mlp")
    digits = "quickstart/digits"
    shrutime = tables["tabular/shrutime-mlp", "saflex_proximal"]
    ablation = tables["tabular/shrutime-mlp", "bootstrap"]
    recipes = ("medmnist/breastmnist-randaugment-cpu", "medmnist/breastmnist-randaugment")
    benchmarks = [read_benchmark(bench_path(RESULTS, recipe)) for recipe in recipes]
    head = [b.summary(name)[0] for b in benchmarks for name in ("saflex_proximal", "saflex_weights_only")]
    whole = sorted(b.summary("saflex_paper")[0] for b in benchmarks)
    share = 78 / 128
    return [
        f"dropped {float(dropping['dropped_steps']):.0f} of QSAR's 300 steps",
        f"kept {100 * float(dropping['weight']):.1f} % of the samples",
        f"the upstream's class for {100 - float(paper['label_change_rate']):.1f} % of the samples",
        f"the true one for {float(paper['recovered']):.1f} % of those",
        f"that was {float(qsar['recovered']):.1f} %",
        f"({100 * float(paper['weight']):.1f} % kept on digits; "
        f"{100 * float(MEASURED['Digits', 'e5_no_noise']['weight']):.1f} % without noise)",
        f"{mean('e11_sum')} with the sum, {mean('e5_no_noise')} without noise",
        f"{mean('soft')} against {mean('as_printed')}",
        f"({mean('upstream')} and {mean('upstream', 'QSAR')})",
        f"re-estimated on clean data the upstream has {mean('upstream_bn')} on digits",
        f"turns {mean('upstream_trainval')} into {mean('upstream_trainval_clean')} on digits",
        f"makes {(3 + share) / 3:.1f} and {(5 + 3 * share) / 3:.1f} times",
        f"{min(head):.2f} to {max(head):.2f} for the head presets, {whole[0]:.2f} and {whole[1]:.2f} for `paper`",
        f"`proximal` is {difference(quickstart[digits, 'saflex_proximal'], 'fair')} above",
        f"no augmentation at all is {difference(quickstart[digits, 'no_aug'], 'fair', interval=False)} above",
        f"at the selected epoch {difference(shrutime, 'baseline').replace('points', 'points of AUROC')} above CutMix",
        f"`bootstrap` is {difference(ablation, 'baseline', interval=False)} below",
        f"`proximal` is {difference(shrutime, 'fair', interval=False)} points below in the mean",
        f"{FIGURE_2B} points more than `bootstrap`",
    ]


def test_the_prose_says_what_was_measured() -> None:
    text = " ".join(PAGE.split())
    assert [sentence for sentence in sentences() if text.count(sentence) != 1] == []


def test_no_other_number_is_quoted() -> None:
    """Numbers with a decimal point outside the table and outside `sentences`: only the paper's τ and our α."""
    text = re.sub(r"<!-- readings -->.*<!-- end of readings -->", "", PAGE, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)|arXiv:\S+", "", " ".join(text.split()))
    for sentence in sentences():
        text = text.replace(sentence, "")
    assert set(re.findall(r"\d+\.\d+", text)) == {"0.01", "0.05"}
