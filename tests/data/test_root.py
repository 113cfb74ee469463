"""The option beats the environment variable, which beats ./data; a named folder must exist."""

from pathlib import Path

import pytest

from saflex_cli.data.root import data_root
from saflex_cli.errors import DataError


def test_order_of_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    option, variable = tmp_path / "option", tmp_path / "variable"
    option.mkdir()
    variable.mkdir()
    monkeypatch.delenv("SAFLEX_DATA", raising=False)
    assert data_root() == Path("data")
    monkeypatch.setenv("SAFLEX_DATA", str(variable))
    assert data_root() == variable
    assert data_root(option) == option


def test_a_missing_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"--data-root: no folder .*nowhere"):
        data_root(tmp_path / "nowhere")
    monkeypatch.setenv("SAFLEX_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"SAFLEX_DATA: no folder .*nowhere"):
        data_root()
