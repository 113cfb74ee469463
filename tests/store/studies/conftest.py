"""A study with hand-made packed reports: two curves, one of them categorical in nothing but its own recipe."""

from pathlib import Path

import pytest

from saflex_cli.config.study import Study, load_study
from saflex_cli.store.json_lines import Run
from saflex_cli.store.report import Report
from saflex_cli.store.studies.pack import pack_path, write_pack
from tests.store.conftest import make_report
from tests.studies import write_study

METHODS = [
    {"name": "no_aug"},
    {"name": "upstream"},
    {"name": "upstream", "train_on": ["train", "val"]},
    {"name": "saflex", "preset": "proximal"},
]
PERCENT = {
    ("digits/0", "no_aug"): (90.0, 91.0, 92.5, 91.0),
    ("digits/0", "upstream"): (92.0, 93.0, 94.0, 93.5),
    ("digits/0", "upstream_trainval"): (94.0, 95.5, 95.0, 95.0),
    ("digits/0", "saflex_proximal"): (94.1, 95.0, 96.2, 95.1),
    ("digits/0_4", "no_aug"): (90.0, 91.0, 92.5, 91.0),
    ("digits/0_4", "upstream"): (80.0, 83.0, 81.0, 84.0),
    ("digits/0_4", "upstream_trainval"): (85.0, 85.5, 84.0, 86.0),
    ("digits/0_4", "saflex_proximal"): (88.1, 89.5, 87.0, 90.1),
    # The differences of every seed are equal, and in the second cell two reports are missing.
    ("ranked/0", "no_aug"): (70.0, 71.0, 72.0, 73.0),
    ("ranked/0", "upstream"): (70.0, 71.0, 72.0, 73.0),
    ("ranked/0", "upstream_trainval"): (72.0, 73.0, 74.0, 75.0),
    ("ranked/0", "saflex_proximal"): (72.5, 73.5, 74.5, 75.5),
    ("ranked/0_4", "no_aug"): (70.0,),
    ("ranked/0_4", "upstream"): (70.0, 71.0, 74.0),
    ("ranked/0_4", "saflex_proximal"): (75.0, 76.0, 77.5, 78.0),
}
"""At the selected epoch, by seed; half a point less at the last one, and a point more in AUROC."""


@pytest.fixture
def study_path(tmp_path: Path) -> Path:
    cells = [{"at": at, "set": [f"augmenter[1].share={at}"]} for at in (0, 0.4)]
    ranked = [cell | {"set": [*cell["set"], "selection.metric=auroc"]} for cell in cells]
    return write_study(
        tmp_path,
        methods=METHODS,
        seeds=[0, 1, 2, 3],
        opponents=["upstream_trainval", "no_aug"],
        titles={"no_aug": "no augmentation", "upstream_trainval": "upstream on train+val"},
        curves=[
            {"title": "Digits", "recipe": "base-digits.yaml", "cells": cells},
            {"title": "Ranked", "recipe": "base-digits.yaml", "cells": ranked},
        ],
    )


@pytest.fixture
def study(study_path: Path) -> Study:
    return load_study(study_path)


@pytest.fixture
def results(tmp_path: Path, study: Study) -> Path:
    """A results folder with the packed reports."""
    for cell in study.cells:
        write_pack(pack_path(tmp_path / "results", study, cell), cell, made(study, cell.name))
    return tmp_path / "results"


def made(study: Study, name: str) -> dict[Run, Report]:
    """The hand-made reports of a cell."""
    [cell] = [cell for cell in study.cells if cell.name == name]
    return {
        (cell.recipe.name, label, seed): make_report(cell.recipe, label, seed, value / 100)
        for (own, label), values in PERCENT.items()
        for seed, value in enumerate(values)
        if own == name
    }
