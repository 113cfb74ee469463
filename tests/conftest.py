"""Shared by all tests: one thread, a fixed global seed before each test, repeatable hypothesis examples."""

import pytest
import torch
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_configure(config):
    """The one exception to `filterwarnings = error` that the core needs.

    The first forward-mode derivative of a layer such as BatchNorm makes torch load derivative formulas of its own,
    which torch builds with its own deprecated function.
    """
    config.addinivalue_line("filterwarnings", "ignore:`torch.jit.script` is (deprecated|not supported):FutureWarning")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small nets run several times slower on two threads under load."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def seeded():
    """No test depends on which tests ran before it."""
    torch.manual_seed(0)
