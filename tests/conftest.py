"""Shared by all tests: one thread, a fixed global seed before each test, repeatable hypothesis examples."""

import jaxtyping
import pytest
import torch
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=40)
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
