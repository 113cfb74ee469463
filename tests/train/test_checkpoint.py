"""Checkpoints come back as they were, whole or not at all, and never run code."""

import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from saflex_cli.errors import CheckpointError
from saflex_cli.train.checkpoint import (
    Checkpoint,
    optimizer_tensors,
    read_checkpoint,
    restore_optimizer,
    write_checkpoint,
)


def test_round_trip_with_tied_weights(tmp_path: Path) -> None:
    shared = torch.randn(2, 3)
    written = Checkpoint({"model": {"a.weight": shared, "b.weight": shared}, "best": {}}, {"epoch": 3, "text": "é"})
    write_checkpoint(tmp_path / "deep" / "c.safetensors", written)
    read = read_checkpoint(tmp_path / "deep" / "c.safetensors")
    assert read.facts == written.facts
    assert torch.equal(read.groups["model"]["b.weight"], shared)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["c.safetensors"]


@pytest.mark.parametrize("optimizer_type", [torch.optim.Adam, torch.optim.SGD])
def test_a_restored_optimizer_goes_on_as_the_original(optimizer_type: type[torch.optim.Optimizer]) -> None:
    torch.manual_seed(0)
    options = {"lr": 0.1} | ({"momentum": 0.9} if optimizer_type is torch.optim.SGD else {})
    first, second = nn.Linear(3, 2), nn.Linear(3, 2)
    ours, theirs = optimizer_type(first.parameters(), **options), optimizer_type(second.parameters(), **options)
    step(first, ours)
    second.load_state_dict(first.state_dict())
    restore_optimizer(theirs, {k: v.clone() for k, v in optimizer_tensors(ours).items()})
    step(first, ours)
    step(second, theirs)
    assert torch.equal(first.weight, second.weight)


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    model(torch.ones(1, 3)).square().sum().backward()
    optimizer.step()


def test_missing_truncated_and_foreign_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        read_checkpoint(path)
    write_checkpoint(path, Checkpoint({"model": {"w": torch.randn(100)}}, {}))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(CheckpointError, match=r"c\.safetensors: is not a whole saflex checkpoint"):
        read_checkpoint(path)
    path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="is not a whole saflex checkpoint"):
        read_checkpoint(path)


class Bomb:
    """Unpickling this object creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return open, (str(self.path), "w")


def test_a_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    path.write_bytes(pickle.dumps(Bomb(tmp_path / "boom")))
    with pytest.raises(CheckpointError):
        read_checkpoint(path)
    assert not (tmp_path / "boom").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot be written"):
        write_checkpoint(tmp_path / "file" / "c.safetensors", Checkpoint({"model": {"w": torch.ones(1)}}, {}))


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    write_checkpoint(path, Checkpoint({"model": {"w": torch.ones(1)}}, {"epoch": 1}))
    with pytest.raises(TypeError):
        write_checkpoint(path, Checkpoint({"model": {"w": torch.zeros(1)}}, {"epoch": object()}))
    assert read_checkpoint(path).facts == {"epoch": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["c.safetensors"]
