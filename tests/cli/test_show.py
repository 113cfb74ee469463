"""`saflex show`: a picture with its numbers beside it, or one message."""

import csv
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Saflex
from tests.experiment.test_exhibit import PLANE
from tests.figures.made_up import pixels
from tests.recipes import CONTENT

SHOW = ("show", "tests/digits", "--method", "upstream")
PICTURE = Path("runs/show/tests/digits/upstream_trainval-seed-0.png")


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_picture_and_numbers_are_written_and_nothing_else(saflex: Saflex, trained: Path) -> None:
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    result = saflex(*SHOW)
    assert (result.exit_code, result.stderr) == (0, "")
    first, last = result.stdout.splitlines()
    assert first == (
        "tests/digits upstream_trainval seed 0: last epoch 1, 50 augmented samples: "
        "mean weight 1.00, 0.0 % of the labels changed"
    )
    assert last == f"Written: {PICTURE}, {PICTURE.with_suffix('.csv')}"
    assert pixels(PICTURE.read_bytes()).std() > 0
    assert len(rows(PICTURE.with_suffix(".csv"))) == 24
    after = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    assert set(after) - set(before) == {trained / PICTURE, trained / PICTURE.with_suffix(".csv")}
    assert after.items() >= before.items()


@pytest.mark.slow
@pytest.mark.usefixtures("trained")
def test_the_same_command_writes_the_same_bytes_where_it_is_told(saflex: Saflex) -> None:
    for name in ("a.png", "b.png"):
        assert saflex(*SHOW, "--seed", "1", "--samples", "1000", "--to", f"pictures/{name}").exit_code == 0
    assert Path("pictures/a.png").read_bytes() == Path("pictures/b.png").read_bytes()
    assert len(rows(Path("pictures/a.csv"))) == 50
    assert not PICTURE.exists()


def test_points_in_the_plane_from_training_to_picture(saflex: Saflex, project: Path) -> None:
    content = CONTENT | PLANE | {"methods": [{"name": "saflex", "preset": "proximal"}], "seeds": [3]}
    (project / "recipes" / "tests" / "plane.yaml").write_text(yaml.safe_dump(content))
    assert saflex("train", "tests/plane", "--set", "train.epochs=1").exit_code == 0
    result = saflex("show", "tests/plane", "--method", "saflex", "--set", "train.epochs=1", "--samples", "5")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith(
        "tests/plane saflex_proximal seed 3: selected epoch 1, 45 augmented samples: mean weight "
    )
    assert [line.split()[0] for line in lines[3:7]] == ["few", "more", "among", "not"]
    [picture] = Path("runs").rglob("*.png")
    assert picture.parts[1].startswith("set-")
    assert len(rows(picture.with_suffix(".csv"))) == 5
    assert [float(row["weight"]) for row in rows(picture.with_suffix(".csv"))] == sorted(
        float(row["weight"]) for row in rows(picture.with_suffix(".csv"))
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["saflex_paper"], "make it with: saflex train tests/digits --method saflex_paper --seed 0"),
        (["saflex_paper", "--out", "x"], "saflex train tests/digits --method saflex_paper --seed 0 --out x"),
        (
            ["saflex_paper", "--seed", "7", "--set", "data.train=80"],
            "saflex train tests/digits --method saflex_paper --seed 7 --set data.train=80",
        ),
        (["saflex_papr"], "tests/digits has no method 'saflex_papr'; did you mean saflex_paper?"),
        (
            ["no_aug"],
            "no_aug has no upstream augmentation: no weights or labels to show; choose another method",
        ),
    ],
)
@pytest.mark.usefixtures("trained")
def test_a_mistake_is_one_message(saflex: Saflex, words: list[str], message: str) -> None:
    result = saflex("show", "tests/digits", "--method", *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith(f"{message}\n")
    assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("trained")
def test_without_matplotlib_it_says_what_to_install(saflex: Saflex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = saflex(*SHOW)
    assert result.exit_code == 1
    assert result.stderr == "error: drawing needs matplotlib; install it with: pip install 'saflex[figures]'\n"


@pytest.mark.usefixtures("trained")
def test_a_place_that_cannot_be_written(saflex: Saflex) -> None:
    Path("file").write_text("")
    result = saflex(*SHOW, "--to", "file/picture.png")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
