"""`saflex doctor`: versions, device, data sets."""

import sys
from pathlib import Path

import pytest
import torch

from saflex_cli import __version__
from tests.cli.conftest import Saflex


def test_it_names_versions_device_and_data(saflex: Saflex, project: Path) -> None:
    result = saflex("doctor", "--data-root", str(project))
    assert result.exit_code == 0
    lines = {line.split()[0]: line for line in result.stdout.splitlines() if line}
    assert lines["saflex"].split() == ["saflex", __version__]
    assert torch.__version__.split("+")[0] in lines["torch"]
    assert lines["device"].split()[1] == ("cuda" if torch.cuda.is_available() else "cpu")
    assert "found" in lines["digits"]
    assert str(project) in lines["data"]


@pytest.mark.usefixtures("project")
def test_a_missing_data_root_is_named(saflex: Saflex) -> None:
    result = saflex("doctor", "--data-root", "nowhere")
    assert result.exit_code == 1
    assert "--data-root: no folder nowhere" in result.stderr


@pytest.mark.usefixtures("project")
def test_a_torch_that_does_not_load(saflex: Saflex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    result = saflex("doctor")
    assert result.exit_code == 1
    assert "torch and torchvision do not load" in result.stderr
    assert "pip install" in result.stderr
