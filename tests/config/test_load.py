"""Every mistake in a recipe is one message that names file, line and dotted path."""

from pathlib import Path

import pytest

from saflex_cli.config.load import load_recipe
from saflex_cli.errors import RecipeError
from tests.recipes import write_recipe

RECIPE = """\
name: tests/typos
data: {name: digits}
model: {name: small_cnn}
augmenter: {name: rotation, degrees: 60}
optimizer: {name: adam, lr: 1.0e-3}
train:
  epochs: 3
  batch_size: 50
methods:
  - {name: upstream}
  - {name: saflex, preset: proximal, label_retention: 1.0}
seeds: [0]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "r.yaml").write_text(RECIPE)
    return tmp_path / "r.yaml"


MISTAKES = [
    ("epochs: 3", "epoch: 3", 7, "train.epoch: unknown key"),
    (
        "lr: 1.0e-3",
        "lr: 1e-3",
        5,
        "optimizer.lr: should be a valid number, not '1e-3' (YAML reads this as text; write 1.0e-3)",
    ),
    ("epochs: 3", "epochs: many", 7, "train.epochs: should be a valid integer, not 'many'"),
    ("epochs: 3", "epochs: yes", 7, "train.epochs: should be a valid integer, not True"),
    ("epochs: 3", "epochs: 0", 7, "train.epochs: should be greater than or equal to 1, not 0"),
    ("batch_size: 50", "epochs: 4", 8, "train.epochs: key stands here and on line 7"),
    ("{name: upstream}", "{name: upstrem}", 10, "methods[0].name: unknown name, 'upstrem'; choose from 'no_aug'"),
    ("preset: proximal", "preset: proximate", 11, "methods[1].preset: should be 'default', 'paper'"),
    ("label_retention: 1.0", "label_retention: a", 11, "methods[1].label_retention: should be a valid number"),
    ("label_retention: 1.0", "label_retension: 1.0", 11, "methods[1].label_retension: unknown key"),
    ("label_retention: 1.0", "label_retention: -1.0", 11, "methods[1]: label_retention must be at least 0"),
    ("label_retention: 1.0", "scope: none", 11, "methods[1]: scope none computes no Π"),
    ("  - {name: upstream}", "  - {name: upstream}\n  - {name: upstream}", 9, "methods: upstream is listed twice"),
    ("seeds: [0]", "seeds: [0, 0]", 12, "seeds: 0 is listed twice"),
    ("seeds: [0]", "", 1, "seeds: is missing"),
    ("degrees: 60", "degrees: .nan", 4, "augmenter.degrees: should be"),
    (
        "{name: upstream}",
        "{name: upstream, train_on: [val]}",
        10,
        "methods[0].train_on: should be [train] or [train, val]",
    ),
    ("{name: upstream}", "{name: no_aug, augmenter: {name: rotation}}", 10, "methods[0]: no_aug has no augmenter"),
    ("{name: upstream}", "{name: lp_a3, augmenter: {name: rotation}}", 10, "methods[0]: lp_a3 has no augmenter"),
    ("{name: upstream}", "{name: lp_a3, bound: 0.0}", 10, "methods[0].bound: should be greater than 0, not 0.0"),
    ("{name: upstream}", "{name: lp_a3, lam: -1.0}", 10, "methods[0].lam: should be greater than or equal to 0"),
    ("{name: upstream}", "{name: lp_a3, iterations: 0}", 10, "methods[0].iterations: should be greater than"),
    ("{name: upstream}", "{name: lp_a3, ratio: 1.1}", 10, "methods[0].ratio: should be less than or equal to 1"),
    ("{name: upstream}", "{name: lp_a3, newest: 0.0}", 10, "methods[0].newest: should be greater than 0"),
    ("{name: upstream}", "{name: lp_a3, clean_batch: true}", 10, "methods[0].clean_batch: unknown key"),
    (
        "{name: upstream}",
        "{name: saflex, preset: proximal, outer: clean_pass}",
        10,
        "methods[0]: outer clean_pass is the training pass of the clean batch: it needs clean_batch: true",
    ),
    (
        "{name: upstream}",
        "{name: saflex, preset: paper, outer: clean_pass, clean_batch: true}",
        10,
        "methods[0]: outer clean_pass needs scope head, not all",
    ),
    (
        "{name: upstream}",
        "{name: saflex, preset: proximal, outer: clean_pass, clean_batch: true, alignment_mode: eval}",
        10,
        "methods[0]: outer clean_pass is a training pass: it needs alignment_mode train",
    ),
    ("{name: upstream}", "upstream", 10, "methods[0]"),
    ("{name: digits}", "[digits", 3, "not valid YAML"),
]


@pytest.mark.parametrize(("old", "new", "line", "message"), MISTAKES)
def test_mistake_is_named(path: Path, old: str, new: str, line: int, message: str) -> None:
    assert old in RECIPE
    path.write_text(RECIPE.replace(old, new))
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert f"{path}:{line}: {message}" in str(caught.value)


def test_several_mistakes_are_all_named(path: Path) -> None:
    path.write_text(RECIPE.replace("epochs: 3", "epoch: 3"))
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert len(str(caught.value).splitlines()) == 2  # the unknown key, and the missing one


@pytest.mark.parametrize("content", ["", "just text", "- a\n- b", "a: &x [*x]"])
def test_not_a_mapping(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(RecipeError, match=r"r\.yaml"):
        load_recipe(path)


def test_missing_file_and_binary_file(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No such file"):
        load_recipe(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match="UTF-8"):
        load_recipe(tmp_path / "binary.yaml")


def test_yaml_cannot_run_code(path: Path) -> None:
    path.write_text("name: !!python/object/apply:os.system ['true']")
    with pytest.raises(RecipeError, match="not valid YAML"):
        load_recipe(path)


def test_a_date_is_text_and_one_step_is_a_list_of_one(path: Path) -> None:
    path.write_text(RECIPE.replace("name: tests/typos", "name: 2026-01-02"))
    recipe = load_recipe(path)
    assert recipe.name == "2026-01-02"
    assert recipe.augmenter is not None
    assert [step.name for step in recipe.augmenter] == ["rotation"]


def test_overrides(path: Path) -> None:
    recipe = load_recipe(path, ["train.epochs=7", "methods[1].preset=lp", "methods.0.label=mine"])
    assert recipe.train.epochs == 7
    assert [method.label for method in recipe.methods] == ["mine", "saflex_lp"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.epochs", "write it as dotted.path=value"),
        ("=3", "write it as dotted.path=value"),
        ("methods[9].name=a", "9 is not a place in the recipe"),
        ("train.epochs.x=1", "x is not a place in the recipe"),
        ("train.epochs=[", "the value is not valid YAML"),
        ("train.epoch=1", "train.epoch: unknown key"),
        ("optimizer.lr=1e-3", "write 1.0e-3)"),
        ("optimizer.lr=1e3", "write 1.0e+3)"),
        ("train.epochs='2'", "write 2)"),
        ("train={epochs: 1, epochs: 2, batch_size: 3}", "key stands here and on line 1"),
        ("name.0=x", "0 is not a place in the recipe"),
        ("²=1", "²: unknown key"),
    ],
)
def test_a_wrong_override_is_named(path: Path, override: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(path, [override])
    assert str(caught.value).startswith(f"--set {override}: ")
    assert message in str(caught.value)


def test_labels_are_made_from_what_a_method_says(tmp_path: Path) -> None:
    methods = [
        {"name": "upstream", "train_on": ["train", "val"], "clean_batch": True},
        {"name": "saflex", "preset": "paper", "clean_batch": True},
        {"name": "saflex", "preset": "paper", "label": "mine"},
    ]
    recipe = load_recipe(write_recipe(tmp_path, methods=methods))
    assert [m.label for m in recipe.methods] == ["upstream_trainval_clean", "saflex_paper_clean", "mine"]
