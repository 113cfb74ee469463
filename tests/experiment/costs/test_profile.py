"""Every part of a step is found, and the parts add up."""

import json
from pathlib import Path

import pytest
import torch

from saflex_cli.core.sections import section
from saflex_cli.errors import RecipeError, ResultsError
from saflex_cli.experiment.costs.profile import REST, SECTIONS, Stopwatch, measure_profile
from tests.recipes import make_recipe


def test_a_saflex_step_has_every_part(tmp_path: Path) -> None:
    trace = tmp_path / "new" / "trace.json"
    measured = measure_profile(make_recipe(tmp_path), "saflex_paper", steps=2, trace=trace, operations=3)
    assert tuple(measured.sections) == (*SECTIONS, REST)
    assert all(measured.sections[name] > 0 for name in SECTIONS)
    assert sum(measured.sections.values()) == pytest.approx(measured.total)
    assert len(measured.operations) == 3
    assert measured.operations[0].seconds >= measured.operations[-1].seconds > 0
    names = {event.get("name") for event in json.loads(trace.read_text())["traceEvents"]}
    assert set(SECTIONS) <= names
    assert section("outer") is section("solve"), "nobody observes any more"


def test_a_step_without_augmentation_has_fewer(tmp_path: Path) -> None:
    measured = measure_profile(make_recipe(tmp_path), "no_aug", steps=1)
    assert {name for name, seconds in measured.sections.items() if seconds == 0} == {"augmentation", "outer", "solve"}


def test_a_section_within_another_one_is_part_of_it() -> None:
    watch = Stopwatch(torch.device("cpu"))
    with watch("outer"), watch("forward"):
        torch.rand(1000).sort()
    assert watch.seconds["outer"] > 0
    assert watch.seconds["forward"] == 0
    with watch("forward"):
        pass
    assert watch.seconds["forward"] > 0


def test_what_cannot_be_profiled(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, methods=[{"name": "logistic_regression"}, {"name": "no_aug"}])
    with pytest.raises(RecipeError, match="logistic_regression is fitted as a whole, without training steps"):
        measure_profile(recipe, "logistic_regression", steps=1)
    with pytest.raises(ResultsError, match=r"trace\.json: cannot be written"):
        measure_profile(recipe, "no_aug", steps=1, trace=tmp_path / "recipe.yaml" / "trace.json")
