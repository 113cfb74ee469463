"""benchmarks/peers.py: what runs without the peers' packages, and what is said about those that are not there."""

import importlib.util
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest
import torch

from saflex_cli.store.performance.files import read_record, write_record
from saflex_cli.store.performance.peers import PeerBenchmark, peers_path

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "peers.py"
PEERS = {"l2rw_higher": "higher", "l2rw_torchopt": "torchopt", "mwn_betty": "betty"}


@pytest.fixture(scope="module")
def peers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("peers", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_our_own_steps_are_measured_and_the_others_named(peers: ModuleType, tmp_path: Path) -> None:
    task = peers.Task(2, 4, 4, torch.device("cpu"))
    measured = peers.measure(task, rounds=2, steps=1)
    absent = {name for name, package in PEERS.items() if not find_spec(package)}
    assert set(measured.failed) == absent
    assert [cost.name for cost in measured.costs] == [name for name in peers.MADE if name not in absent]
    assert len(measured.ratios("head", "upstream")) == 2
    for name in absent:
        assert measured.failed[name] == f"ModuleNotFoundError: No module named '{PEERS[name]}'"
        assert measured.ratios(name, "upstream") == []
    assert set(measured.versions) == {"higher", "torchopt", "betty-ml"}
    path = write_record(peers_path(tmp_path), measured)
    assert read_record(path, PeerBenchmark) == measured


def test_a_message_does_not_tell_where_files_lie(peers: ModuleType) -> None:
    assert peers.without_folders("/a/b-c/d.so: undefined symbol\nmore") == "d.so: undefined symbol"
    assert peers.without_folders("") == "no message"


def test_weights_are_the_falling_part_in_sum_one(peers: ModuleType) -> None:
    gradient = torch.tensor([-3.0, 2.0, -1.0])
    assert peers.normalised(gradient).tolist() == [0.75, 0.0, 0.25]
    assert peers.normalised(gradient.abs()).tolist() == [0.0, 0.0, 0.0]
