from pathlib import Path

import pytest

from saflex_cli.config.load import load_recipe
from saflex_cli.errors import RecipeError
from saflex_cli.store.published import Published, PublishedKey, read_published
from saflex_cli.store.table import load_table, table_from_recipe
from saflex_cli.store.table_config import RowKey

from .conftest import RECIPE

PUBLISHED = Path(__file__).parents[2] / "recipes" / "tables" / "published.csv"


def _edited(folder: Path, old: str, new: str, name: str = "two.yaml") -> Path:
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_a_table_file(folder: Path):
    table = load_table(folder / "two.yaml")
    assert (table.name, table.baseline, table.fair) == ("two", "upstream", "upstream_trainval")
    assert [column.metric for column in table.columns] == ["auroc", "auroc"]
    assert table.source == "recipes/two.yaml"
    assert [column.sources[None].path for column in table.columns] == ["recipes/digits.yaml", "recipes/other.yaml"]
    assert [column.sources[None].recipe.name for column in table.columns] == ["smoke/digits", "smoke/other"]
    assert table.columns[0].published == {
        RowKey(None, "no_aug"): Published(94.34, 0.18),
        RowKey(None, "saflex_proximal"): Published(95.11, 0.14),
    }
    assert table.columns[1].published == {}
    assert table.title_of("no_aug") == "[no aug]"


SEVERAL = """\
name: several
title: Two augmentations of one data set
columns:
  - title: Digits
    recipe: {first: digits.yaml, second: other.yaml}
    published: {table: "1", column: pathmnist, backbone: resnet18}
rows:
  - {recipe: first, method: no_aug, title: no augmentation, published: no_aug}
  - {recipe: first, method: upstream, title: First, published: randaugment}
  - {recipe: second, method: upstream, title: Second}
  - {recipe: second, method: saflex_proximal, title: Second refined}
baseline: upstream
"""


@pytest.fixture
def several(folder: Path) -> Path:
    path = folder / "several.yaml"
    path.write_text(SEVERAL)
    return path


def test_rows_choose_between_the_recipes_of_a_column(several: Path):
    table = load_table(several)
    [column] = table.columns
    assert [column.source(row).recipe.name for row in table.rows] == 2 * ["smoke/digits"] + 2 * ["smoke/other"]
    assert column.published == {
        RowKey("first", "no_aug"): Published(94.34, 0.18),
        RowKey("first", "upstream"): Published(93.52, 0.09),
    }
    assert table.title_of("upstream") == "First or Second"


def test_rows_choose_the_backbone_where_the_column_names_none(several: Path):
    several.write_text(several.read_text().replace("first", "resnet18").replace(", backbone: resnet18}", "}"))
    [column] = load_table(several).columns
    assert column.published[RowKey("resnet18", "upstream")] == Published(93.52, 0.09)


def test_a_column_may_have_a_metric_of_its_own(folder: Path):
    path = folder / "two.yaml"
    path.write_text(path.read_text().replace('title: "Other [%]"', 'title: "Other [%]", metric: accuracy'))
    assert [column.metric for column in load_table(path).columns] == ["auroc", "accuracy"]


def test_a_recipe_alone_shows_what_selects(folder: Path):
    path = folder / "digits.yaml"
    assert load_table(path).columns[0].metric == "accuracy"
    path.write_text(path.read_text() + "selection: {metric: auroc}\n")
    assert load_table(path).columns[0].metric == "auroc"


def test_no_published_number_stands_where_it_is_not_comparable(folder: Path):
    path = folder / "two.yaml"
    path.write_text(path.read_text().replace("resnet18}}", "resnet18}, not_comparable: Why.}"))
    with pytest.raises(RecipeError, match=r"published and not_comparable contradict each other"):
        load_table(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("recipe: second, method: up", "recipe: third, method: up", r"baseline: upstream .*second; they are: saflex_p"),
        ("{recipe: second, method: saflex", "{method: saflex", r"baseline: upstream is not among the rows; they are"),
        (
            "second: other",
            "other: other",
            r"rows\[2\]\.recipe: Digits has no recipe second; write one of: first, other",
        ),
        ("second: other.yaml", "second: gone.yaml", r"columns\[0\]\.recipe\.second: there is no .*gone\.yaml"),
        ("second: other.yaml", "second: digits.yaml", r"columns\[0\]\.recipe\.second: smoke/digits is listed twice"),
        ("{first: digits.yaml, second: other.yaml}", "{}", r"columns\[0\]\.recipe"),
    ],
)
def test_a_wrong_choice_between_recipes(several: Path, old: str, new: str, message: str):
    with pytest.raises(RecipeError, match=message):
        load_table(_edited(several.parent, old, new, several.name))


def test_a_row_names_no_recipe_where_there_is_one(folder: Path):
    path = folder / "two.yaml"
    path.write_text(path.read_text().replace("- {method:", "- {recipe: first, method:"))
    with pytest.raises(RecipeError, match=r"rows\[0\]\.recipe: Digits_1 has no recipe first; leave it out"):
        load_table(path)


def test_the_default_table_of_a_recipe(folder: Path):
    table = load_table(folder / "digits.yaml")
    assert (table.name, table.title, table.source) == ("smoke-digits", "smoke/digits", "recipes/digits.yaml")
    assert [row.method for row in table.rows] == ["no_aug", "upstream", "upstream_trainval", "saflex_proximal"]
    assert (table.baseline, table.fair) == ("upstream", "upstream_trainval")


def test_the_default_source_follows_the_name(folder: Path):
    assert table_from_recipe(load_recipe(folder / "digits.yaml")).source == "recipes/smoke/digits.yaml"


def test_the_default_references_have_no_augmenter_of_their_own(folder: Path):
    own = "{name: upstream, label: own, augmenter: {name: rotation}}"
    path = folder / "own.yaml"
    methods = (
        f"  - {{name: no_aug}}\n  - {own}\n  - {own.replace('label: own', 'label: both, train_on: [train, val]')}\n"
    )
    head, _, _ = RECIPE.format(name="own").partition("  - {name: no_aug}")
    path.write_text(f"{head}{methods}seeds: [0]\n")
    table = load_table(path)
    assert (table.baseline, table.fair) == ("no_aug", None)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("recipe: other.yaml", "recipe: gone.yaml", r"two\.yaml:6: columns\[1\]\.recipe: there is no .*gone\.yaml"),
        ("recipe: other.yaml", "recipe: digits.yaml", r"columns\[1\]\.recipe: smoke/digits is listed twice"),
        ("method: no_aug", "method: noaug", r"two\.yaml:8: rows\[0\]\.method: smoke/digits has no method 'noaug'"),
        ("method: no_aug", "method: upstream", r"two\.yaml:9: rows\[1\]\.method: upstream is listed twice"),
        ("baseline: upstream", "baseline: uptream", r"two\.yaml:12: baseline: uptream is not among the rows"),
        ("fair: upstream_trainval", "fair: other", r"two\.yaml:13: fair: other is not among the rows"),
        ("fair: upstream_trainval", "fair: no_aug", r"fair: no_aug must have train_on: \[train, val\] in smoke/digits"),
        ("published: no_aug", "published: noaug", r"columns\[0\]\.published: .*'noaug'; that column has: no_aug, rand"),
        ("column: pathmnist", "column: path", r"columns\[0\]\.published: .* there is no such column"),
        ("metric: auroc", "metric: f1", r"two\.yaml:3: metric: "),
        ("title: upstream}", "title: 'a | b'}", r"rows\[1\]\.title: "),
        ("baseline:", "reference: x\nbaseline:", "reference: unknown key"),
    ],
)
def test_errors_name_file_line_and_path(folder: Path, old: str, new: str, message: str):
    with pytest.raises(RecipeError, match=message):
        load_table(_edited(folder, old, new))


def test_published_numbers_lie_beside_the_table(folder: Path):
    (folder / "published.csv").unlink()
    with pytest.raises(RecipeError, match=r"published\.csv: cannot be read"):
        load_table(folder / "two.yaml")
    assert load_table(folder / "one.yaml").name == "one"


@pytest.mark.parametrize("line", ["1,pathmnist,resnet18,mixup,92.98", "1,pathmnist,resnet18,mixup,92.98,wide"])
def test_a_malformed_published_line(folder: Path, line: str):
    with (folder / "published.csv").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(RecipeError, match=r"published\.csv:5: must be table,column"):
        load_table(folder / "two.yaml")


def test_the_committed_published_numbers():
    numbers = read_published(PUBLISHED)
    assert len(numbers) == len(PUBLISHED.read_text().splitlines()) - 1, "a key stands twice"
    assert {key.table for key in numbers} == {"1", "2", "3", "4", "7", "8"}
    assert numbers[PublishedKey("1", "pathmnist", "resnet18", "saflex_randaugment")] == Published(95.11, 0.14)
