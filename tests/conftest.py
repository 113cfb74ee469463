"""Shared by all tests: one thread, a fixed global seed before each test, repeatable hypothesis examples."""

import os
from collections.abc import Callable
from pathlib import Path

import jaxtyping
import pytest
import torch
from hypothesis import HealthCheck, settings

settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],  # of a busy machine, not of a test
)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small nets run several times slower on two threads under load."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def seeded():
    """No test depends on which tests ran before it."""
    torch.manual_seed(0)


@pytest.fixture
def as_installed(monkeypatch):
    """Without the run-time checks of shapes and types that pytest adds: what a user of the package meets."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def real_data() -> Callable[..., Path]:
    """The folder with the real data sets, as `real_data(*files)`; skips, by name, where SAFLEX_DATA or a file lacks."""

    def root(*files: str) -> Path:
        folder = os.environ.get("SAFLEX_DATA")
        if not folder:
            pytest.skip(f"SAFLEX_DATA is not set: needs the real {', '.join(files)}")
        for file in files:
            if not (Path(folder) / file).exists():
                pytest.skip(f"SAFLEX_DATA holds no {file}")
        return Path(folder)

    return root
