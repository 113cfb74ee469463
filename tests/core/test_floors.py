"""The core needs torch and jaxtyping alone, so that it can be copied into anybody's training loop."""

import subprocess
import sys

import pytest

FORBIDDEN = ["pydantic", "yaml", "typer", "rich", "scipy", "sklearn", "torchvision", "safetensors", "timm"]
REPORT = "import {modules}, sys; print(*[name for name in {forbidden} if name in sys.modules])"


def loaded(modules: str) -> list[str]:
    """Which of the forbidden packages a fresh interpreter has loaded after the import."""
    command = [sys.executable, "-c", REPORT.format(modules=modules, forbidden=FORBIDDEN)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_the_core_loads_nothing_heavy():
    """`import saflex_cli.core` loads no configuration, console, data or model package (numpy comes with torch)."""
    assert loaded("saflex_cli.core") == []


@pytest.mark.parametrize("module", ["saflex_cli.settings", "saflex_cli.errors"])
def test_settings_load_no_torch(module):
    """Recipes read the settings without waiting for torch."""
    command = [sys.executable, "-c", f"import {module}, sys; print('torch' in sys.modules)"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "False"
