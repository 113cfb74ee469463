"""`saflex bench sweep`."""

import pytest

from saflex_cli.cli.bench.sweep import draw
from tests.cli.conftest import Saflex
from tests.store.performance.made_up import sweep

pytestmark = pytest.mark.usefixtures("project")


def test_exponents_are_shown(saflex: Saflex) -> None:
    result = saflex("bench", "sweep", "--quick", "--device", "cpu")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["method", "batch", "classes", "parameters"]
    assert [line.split()[0] for line in lines[2:5]] == ["upstream", "head", "all"]


def test_the_figure() -> None:
    assert draw(sweep()).startswith(b"\x89PNG")
