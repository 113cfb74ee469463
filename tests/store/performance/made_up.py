"""Measured costs as they could be."""

from typing import Any

from saflex_cli.store.performance.costs import Costs
from saflex_cli.store.performance.epoch import EpochBenchmark, EpochCost, RunCost
from saflex_cli.store.performance.files import Machine
from saflex_cli.store.performance.goals import RESNET, SHRUTIME
from saflex_cli.store.performance.overhead import Overhead, Peak, Variant
from saflex_cli.store.performance.peers import PeerBenchmark, PeerCost
from saflex_cli.store.performance.sweep import AXES, Point, Sweep

MACHINE = Machine(
    saflex="0",
    python="3",
    torch="2",
    device="cpu (abacus)",
    threads=1,
    git_commit="0123456789abcdef",
    git_dirty=False,
    processor="Abacus 1",
)
EMPTY: dict[str, Any] = {"data": {}, "model": {}, "train": {}}
MIB = 2**20


def variant(name: str, *seconds: float, peak: int | None = None) -> Variant:
    memory = None if peak is None else Peak(peak=(peak * MIB, peak * MIB), before=(100 * MIB, 100 * MIB))
    return Variant(name=name, method=None, batch_size=8, seconds=seconds, memory=memory)


def overhead(recipe: str, *variants: Variant) -> Overhead:
    return Overhead(
        recipe=recipe,
        augmenter=[],
        optimizer={},
        steps=4,
        variants=variants,
        left_out={"clean_pass": "it is not there"},
        memory_of="process",
        machine=MACHINE,
        **EMPTY,
    )


def costs() -> Costs:
    resnet = overhead(
        RESNET,
        variant("upstream", 1.0, 2.0, 1.0, peak=200),
        variant("head_b_k4", 1.05, 2.1, 1.2),
        variant("head_b_k1", 1.2, 2.4, 1.2, peak=220),
        variant("all_b4_k1", 2.2, 4.4, 2.2),
    )
    epoch = EpochBenchmark(
        recipe=SHRUTIME,
        augmenter=[{"name": "cell_cutmix"}],
        batches=3,
        epochs=1,
        costs=(
            EpochCost(method="upstream", config_hash="0", seconds=(1.0, 1.0)),
            EpochCost(method="saflex_paper", config_hash="0", seconds=(1.5, 1.7)),
        ),
        run=RunCost(epochs=5, program=(1.0, 1.2), by_hand=(1.0, 1.0)),
        machine=MACHINE,
        **EMPTY,
    )
    peers = PeerBenchmark(
        model={},
        input_shape=(1, 2, 2),
        classes=2,
        batch_size=8,
        outer_batch_size=8,
        steps=1,
        costs=tuple(
            PeerCost(name=name, seconds=(seconds,))
            for name, seconds in (("upstream", 1.0), ("head", 1.25), ("all", 2.5), ("l2rw_higher", 4.0))
        ),
        failed={"mwn_betty": "it needs an abacus"},
        versions={"higher": "0.2.1"},
        machine=MACHINE,
    )
    return Costs({RESNET: resnet}, {SHRUTIME: epoch}, peers, sweep())


def sweep() -> Sweep:
    points = tuple(
        Point(axis=axis, value=value, method=method, seconds=(factor * (1 + value),))
        for axis in AXES
        for value in (10, 100, 1000, 10000)
        for method, factor in (("upstream", 1.0), ("head", 1.2))
    )
    return Sweep(inputs=4, width=8, batch_size=16, classes=2, steps=1, points=points, machine=MACHINE)
