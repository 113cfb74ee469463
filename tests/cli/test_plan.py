"""What a command line selects, and where it lands."""

from pathlib import Path

import pytest

from saflex_cli.cli.plan import landing, load_recipes, load_selection, plan_runs, select_methods
from saflex_cli.cli.plan_view import settings
from saflex_cli.errors import RecipeError, ResultsError

pytestmark = pytest.mark.usefixtures("project")
TABLES = Path(__file__).parents[2] / "recipes" / "tables"


@pytest.mark.parametrize(
    ("wanted", "labels"),
    [
        ([], ["no_aug", "upstream_trainval", "saflex_proximal", "saflex_paper"]),
        (["saflex_paper"], ["saflex_paper"]),
        (["saflex"], ["saflex_proximal", "saflex_paper"]),
        (["upstream"], ["upstream_trainval"]),
        (["saflex_paper", "no_aug", "saflex_paper"], ["no_aug", "saflex_paper"]),
    ],
)
def test_methods_by_label_or_name(wanted: list[str], labels: list[str]) -> None:
    [recipe] = load_recipes(["tests/digits"])
    assert [method.label for method in select_methods(recipe, wanted)] == labels


def test_a_label_comes_before_a_name() -> None:
    [recipe] = load_recipes(["tests/digits"], ["methods[3].label=saflex"])
    assert [method.label for method in select_methods(recipe, ["saflex"])] == ["saflex"]


def test_a_wrong_method_says_which_there_are() -> None:
    [recipe] = load_recipes(["tests/digits"])
    with pytest.raises(RecipeError, match="tests/digits has no method 'saflex_papr'; did you mean saflex_paper"):
        select_methods(recipe, ["saflex_papr"])


def test_two_recipes_of_one_name_are_refused(project: Path) -> None:
    copy = project / "copy.yaml"
    copy.write_text((project / "recipes/tests/digits.yaml").read_text())
    with pytest.raises(RecipeError, match=r"copy\.yaml: name: tests/digits is also the name of recipes/tests/digits"):
        load_recipes(["tests/digits", "copy.yaml"])


def test_a_table_of_a_study_names_the_study() -> None:
    with pytest.raises(
        RecipeError, match=r"RandAugment is a cell of a study; make its runs with `saflex study \S*confirm\.yaml"
    ):
        load_selection([str(TABLES / "medmnist-cpu-retina-confirm.yaml")])


def test_a_table_stands_for_the_methods_of_its_rows() -> None:
    [recipe] = load_selection(["one"])
    assert (recipe.name, [method.label for method in recipe.methods]) == (
        "tests/digits",
        ["no_aug", "upstream_trainval"],
    )
    [recipe] = load_selection(["one", "tests/digits"])
    assert len(recipe.methods) == 4
    with pytest.raises(RecipeError, match="one: --set changes recipes, not tables"):
        load_selection(["one"], ["train.epochs=1"])


def test_a_method_may_have_seeds_of_its_own() -> None:
    loaded = load_recipes(["tests/digits"], ["methods[0].seeds=[5]"])
    runs = plan_runs(loaded, methods=["no_aug", "saflex_paper"], results=Path("results"))
    assert [(run.method.label, run.seed) for run in runs] == [("no_aug", 5), ("saflex_paper", 0), ("saflex_paper", 1)]


def test_seeds_come_from_the_recipe_or_the_command() -> None:
    loaded = load_recipes(["tests/digits"])
    assert [run.seed for run in plan_runs(loaded, methods=["no_aug"], results=Path("results"))] == [0, 1]
    assert [run.seed for run in plan_runs(loaded, methods=["no_aug"], seeds=[7, 1, 7], results=Path("r"))] == [7, 1]


@pytest.mark.usefixtures("trained")
def test_states() -> None:
    loaded = load_recipes(["tests/digits"])
    states = {run.method.label: run.state for run in plan_runs(loaded, results=Path("results"))}
    assert states["no_aug"] == states["upstream_trainval"] == "done"
    assert states["saflex_paper"] == "to do"
    changed = load_recipes(["tests/digits"], ["train.epochs=2"])
    assert {run.state for run in plan_runs(changed, methods=["no_aug"], results=Path("results"))} == {"stale"}


def test_results_land_in_the_project_or_where_asked() -> None:
    assert landing(None, []) == (Path("results"), Path("runs"))
    assert landing(Path("mine"), []) == (Path("mine"), Path("mine/runs"))


def test_overridden_runs_land_in_a_folder_of_their_own() -> None:
    results, runs = landing(None, ["train.epochs=1", "train.batch_size=8"])
    assert results.parent == Path("runs")
    assert results.name.startswith("set-")
    assert len(results.name) == len("set-") + 8
    assert runs == results / "runs"
    assert landing(None, ["train.batch_size=8", "train.epochs=1"])[0] == results
    assert landing(None, ["train.epochs=2"])[0] != results
    assert landing(Path("mine"), ["train.epochs=2"]) == (Path("mine"), Path("mine/runs"))


@pytest.mark.parametrize("out", ["results", "./results", "runs/../results", "results/mine"])
def test_overridden_runs_cannot_land_in_the_results(out: str) -> None:
    with pytest.raises(ResultsError, match="changed by --set cannot land in results/"):
        landing(Path(out), ["train.epochs=1"])


def test_the_results_of_the_project_above_are_results(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "docs").mkdir()
    monkeypatch.chdir(project / "docs")
    with pytest.raises(ResultsError, match=r"--out \.\./results"):
        landing(Path("../results"), ["train.epochs=1"])


def test_a_link_to_the_results_is_the_results(project: Path) -> None:
    (project / "results").mkdir()
    (project / "link").symlink_to("results")
    with pytest.raises(ResultsError, match="--out link"):
        landing(Path("link"), ["train.epochs=1"])


def test_settings_in_short(project: Path) -> None:
    text = (project / "recipes/tests/digits.yaml").read_text()
    steps = "[{name: rotation, degrees: 45}, {name: corrupt_labels, share: 0.2}]"
    (project / "other.yaml").write_text(
        text.replace("methods:\n", f"methods:\n- {{name: upstream, augmenter: {steps}}}\n")
    )
    [recipe] = load_recipes(["other.yaml"])
    expected = "augmenter=rotation(degrees=45.0)+corrupt_labels(share=0.2)"
    assert [settings(method) for method in recipe.methods][:3] == [expected, "", "train_on=train+val"]
