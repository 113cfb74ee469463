"""Whole training steps of peers through their own packages, beside the upstream and SAFLEX, in turns in one process.

L2RW (Ren et al. 2018) through `higher` and through `torchopt`, Meta-Weight-Net (Shu et al. 2019) through `betty-ml`:
the same ResNet-18, batch, outer batch and optimizer for all. A package that does not run is reported by name.

    make bench-peers
"""

import argparse
import re
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from saflex_cli.core import Saflex
from saflex_cli.experiment.costs.turns import Turn, in_turns
from saflex_cli.models.resnet import ResNet18
from saflex_cli.store.performance.files import Machine, write_record
from saflex_cli.store.performance.peers import PeerBenchmark, PeerCost, peers_path
from saflex_cli.train.provenance import environment, processor, resolve_device

PACKAGES = ("higher", "torchopt", "betty-ml")
RATE = 0.01
SHAPE, CLASSES = (1, 28, 28), 2


class Task:
    """Random images; every call of `batch` draws the same kind of work."""

    def __init__(self, width: int, batch: int, outer: int, device: torch.device) -> None:
        self.width, self.device = width, device
        self.inputs, self.outer_inputs = (torch.randn(size, *SHAPE, device=device) for size in (batch, outer))
        self.labels, self.outer_labels = (torch.randint(CLASSES, (size,), device=device) for size in (batch, outer))

    def net(self) -> nn.Module:
        """A fresh net in training mode."""
        return ResNet18(channels=SHAPE[0], classes=CLASSES, width=self.width).to(self.device).train()

    @staticmethod
    def optimizer(net: nn.Module) -> torch.optim.Optimizer:
        """The same for all: L2RW's inner step is a step of SGD."""
        return torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9)


def every(step: Callable[[], None]) -> Turn:
    """A turn of so many steps."""

    def turn(steps: int) -> None:
        for _ in range(steps):
            step()

    return turn


def upstream(task: Task) -> Turn:
    """The plain step."""
    net = task.net()
    optimizer = task.optimizer(net)

    def step() -> None:
        update(optimizer, functional.cross_entropy(net(task.inputs), task.labels))

    return every(step)


def saflex(task: Task, scope: str) -> Turn:
    """SAFLEX with a new outer gradient in every step."""
    net, refine = task.net(), Saflex(preset="proximal", scope=scope)
    optimizer = task.optimizer(net)

    def step() -> None:
        refined = refine(
            model=net,
            inputs=task.inputs,
            upstream_labels=task.labels,
            outer_inputs=task.outer_inputs,
            outer_labels=task.outer_labels,
        )
        update(optimizer, refined.loss())

    return every(step)


def l2rw_higher(task: Task) -> Turn:
    """L2RW: weights from the derivative of the outer loss through one step of SGD, by `higher`."""
    import higher

    net = task.net()
    optimizer = task.optimizer(net)

    def step() -> None:
        virtual = torch.optim.SGD(net.parameters(), lr=RATE)
        with higher.innerloop_ctx(net, virtual) as (copy, inner):
            weights = torch.zeros(len(task.labels), device=task.device, requires_grad=True)
            inner.step((weights * losses(copy, task)).sum())
            outer = functional.cross_entropy(copy(task.outer_inputs), task.outer_labels)
            [gradient] = torch.autograd.grad(outer, weights)
        update(optimizer, (normalised(gradient) * losses(net, task)).sum())

    return every(step)


def l2rw_torchopt(task: Task) -> Turn:
    """The same by `torchopt`."""
    import torchopt

    net = task.net()
    optimizer = task.optimizer(net)
    virtual = torchopt.MetaSGD(net, lr=RATE)

    def step() -> None:
        before, state = torchopt.extract_state_dict(net), torchopt.extract_state_dict(virtual)
        weights = torch.zeros(len(task.labels), device=task.device, requires_grad=True)
        virtual.step((weights * losses(net, task)).sum())
        outer = functional.cross_entropy(net(task.outer_inputs), task.outer_labels)
        [gradient] = torch.autograd.grad(outer, weights)
        torchopt.recover_state_dict(net, before)
        torchopt.recover_state_dict(virtual, state)
        update(optimizer, (normalised(gradient) * losses(net, task)).sum())

    return every(step)


def mwn_betty(task: Task) -> Turn:
    """Meta-Weight-Net: a net of 100 hidden units turns losses into weights, and is trained by `betty` in every step."""
    from betty.configs import Config, EngineConfig
    from betty.engine import Engine
    from betty.problems import ImplicitProblem

    class Outer(ImplicitProblem):
        def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
            inputs, labels = batch
            return functional.cross_entropy(self.inner(inputs), labels)

    class Inner(ImplicitProblem):
        def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
            inputs, labels = batch
            own = functional.cross_entropy(self.module(inputs), labels, reduction="none")[:, None]
            return (self.outer(own.detach()) * own).mean()

    net = task.net()
    weigh = nn.Sequential(nn.Linear(1, 100), nn.ReLU(), nn.Linear(100, 1), nn.Sigmoid()).to(task.device)
    outer = Outer(
        name="outer",
        config=Config(type="darts"),
        module=weigh,
        optimizer=torch.optim.Adam(weigh.parameters(), lr=1e-5),
        train_data_loader=[(task.outer_inputs, task.outer_labels)],
    )
    inner = Inner(
        name="inner",
        config=Config(type="darts", unroll_steps=1),
        module=net,
        optimizer=task.optimizer(net),
        train_data_loader=[(task.inputs, task.labels)],
    )
    dependencies = {"u2l": {outer: [inner]}, "l2u": {inner: [outer]}}
    strategy = "cpu" if task.device.type == "cpu" else "gpu"
    engine = Engine([outer, inner], EngineConfig(strategy=strategy), dependencies)
    engine.train()

    def step() -> None:
        engine.global_step += 1
        engine.train_step()

    return every(step)


MADE: dict[str, Callable[[Task], Turn]] = {
    "upstream": upstream,
    "head": lambda task: saflex(task, "head"),
    "all": lambda task: saflex(task, "all"),
    "l2rw_higher": l2rw_higher,
    "l2rw_torchopt": l2rw_torchopt,
    "mwn_betty": mwn_betty,
}


def losses(net: nn.Module, task: Task) -> Tensor:
    """Of each sample of the batch."""
    return functional.cross_entropy(net(task.inputs), task.labels, reduction="none")


def normalised(gradient: Tensor) -> Tensor:
    """L2RW's weights: the negative derivative where it is positive, in sum one."""
    weights = (-gradient).clamp(min=0)
    return weights / weights.sum().clamp(min=1e-12)


def update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Gradient and step."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def warm(task: Task) -> Iterator[tuple[str, Turn | str]]:
    """Every variant after two steps, or why it does not run."""
    for name, make in MADE.items():
        try:
            turn = make(task)
            turn(2)
        except Exception as error:  # noqa: BLE001 - whatever a foreign package raises is what is reported
            yield name, f"{type(error).__name__}: {without_folders(str(error))}"
        else:
            yield name, turn


def without_folders(message: str) -> str:
    """The first line, in which files have their names alone: results must not tell where their maker's files lie."""
    [line, *_] = message.strip().splitlines() or ["no message"]
    return re.sub(r"(?:/[^\s/:'\"]+)+/", "", line)


def measure(task: Task, *, rounds: int, steps: int) -> PeerBenchmark:
    """All variants in turns."""
    warmed = dict(warm(task))
    turns = {name: turn for name, turn in warmed.items() if not isinstance(turn, str)}
    seconds = in_turns(turns, rounds=rounds, steps=steps, device=task.device)
    return PeerBenchmark(
        model={"name": "resnet18", "width": task.width},
        input_shape=SHAPE,
        classes=CLASSES,
        batch_size=len(task.labels),
        outer_batch_size=len(task.outer_labels),
        steps=steps,
        costs=tuple(PeerCost(name=name, seconds=own) for name, own in seconds.items()),
        failed={name: reason for name, reason in warmed.items() if isinstance(reason, str)},
        versions=versions(),
        machine=Machine.model_validate(environment(task.device) | {"processor": processor()}),
    )


def versions() -> dict[str, str]:
    """As installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--outer", type=int, default=128)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--write", action="store_true", help="write results/bench/peers.json")
    given = parser.parse_args()
    torch.manual_seed(0)
    task = Task(given.width, given.batch, given.outer, resolve_device(given.device))
    measured = measure(task, rounds=given.rounds, steps=given.steps)
    print(", ".join(f"{name} {number}" for name, number in measured.versions.items()))
    for cost in measured.costs:
        ratios = sorted(measured.ratios(cost.name, "upstream"))
        middle = ratios[len(ratios) // 2]
        print(
            f"{cost.name:14} {measured.milliseconds(cost.name):8.1f} ms   upstream × {middle:.2f} "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )
    for name, reason in measured.failed.items():
        print(f"{name:14} does not run: {reason}")
    if given.write:
        print(f"Written: {write_record(peers_path(Path('results')), measured)}")


if __name__ == "__main__":
    main()
