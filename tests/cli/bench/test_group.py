"""The group `saflex bench`."""

import pytest

from tests.cli.conftest import Saflex

pytestmark = pytest.mark.usefixtures("project")


def test_a_recipe_in_the_place_of_a_benchmark(saflex: Saflex) -> None:
    """As it was called before there were several."""
    result = saflex("bench", "tests/digits")
    assert result.exit_code == 2
    said = " ".join(result.stderr.replace("│", " ").split())
    assert "no benchmark 'tests/digits'; there are: methods" in said
    assert "saflex bench methods RECIPE" in said


def test_a_recipe_that_is_not_there(saflex: Saflex) -> None:
    for command in ("methods", "together"):
        result = saflex("bench", command, "tests/digit")
        assert result.exit_code == 1
        assert "no recipe 'tests/digit'; did you mean tests/digits?" in result.stderr
