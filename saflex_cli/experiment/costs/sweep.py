"""Cost against batch size, classes and parameters: a made-up MLP on random numbers."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from saflex_cli.core import Saflex
from saflex_cli.experiment.costs.turns import Turn, in_turns
from saflex_cli.models.mlp import Mlp
from saflex_cli.store.performance.files import Machine
from saflex_cli.store.performance.sweep import Axis, Point, Sweep
from saflex_cli.train.provenance import environment, processor, resolve_device

METHODS = ("upstream", "head", "all")
_WARM_UP = 2


@dataclass(frozen=True)
class Grid:
    """Where the cost is measured: one axis at a time, the others as in `base`."""

    inputs: int = 64
    width: int = 256
    batch: int = 128
    classes: int = 10
    batches: tuple[int, ...] = (32, 64, 128, 256, 512, 1024, 2048)
    many_classes: tuple[int, ...] = (2, 8, 32, 128, 512, 2048)
    widths: tuple[int, ...] = (32, 64, 128, 256, 512, 1024, 2048)

    def places(self) -> list[tuple[Axis, int, int, int]]:
        """Axis, batch, classes, width."""
        places: list[tuple[Axis, int, int, int]] = [("batch", size, self.classes, self.width) for size in self.batches]
        places += [("classes", self.batch, classes, self.width) for classes in self.many_classes]
        return places + [("parameters", self.batch, self.classes, width) for width in self.widths]


QUICK = Grid(batches=(8, 16), many_classes=(2, 4), widths=(8, 16))


def measure_sweep(
    grid: Grid, *, rounds: int, steps: int, device: str = "auto", on_place: Callable[[str], None] = lambda _: None
) -> Sweep:
    """Time training steps of the plain net and of SAFLEX, head and all, with an outer batch as large as the batch.

    Args:
        grid: The places.
        rounds: How often each method has its turn at each place.
        steps: Training steps per turn.
        device: `auto`, `cpu` or `cuda`.
        on_place: Called before each place with its description.

    Raises:
        SaflexError: if the device is not there.
    """
    target, points = resolve_device(device), []
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for axis, batch, classes, width in grid.places():
            on_place(f"{axis}: batch {batch}, {classes} classes, width {width}")
            made = {method: _made(method, grid.inputs, batch, classes, width, target) for method in METHODS}
            for _, turn in made.values():
                turn(_WARM_UP)
            turns = {method: turn for method, (_, turn) in made.items()}
            parameters = made[METHODS[0]][0]
            value = {"batch": batch, "classes": classes, "parameters": parameters}[axis]
            seconds = in_turns(turns, rounds=rounds, steps=steps, device=target)
            points += [Point(axis=axis, value=value, method=method, seconds=seconds[method]) for method in METHODS]
    return Sweep(
        inputs=grid.inputs,
        width=grid.width,
        batch_size=grid.batch,
        classes=grid.classes,
        steps=steps,
        points=tuple(points),
        machine=Machine.model_validate(environment(target) | {"processor": processor()}),
    )


def _made(method: str, inputs: int, batch: int, classes: int, width: int, device: torch.device) -> tuple[int, Turn]:
    """Trainable parameters of a fresh net, and its training steps on one random batch."""
    model: nn.Module = Mlp(inputs=inputs, classes=classes, hidden=(width, width), dropout=0.0).to(device)
    optimizer = torch.optim.Adam(model.parameters())
    samples, trusted = torch.randn(2, batch, inputs, device=device)
    labels = torch.randint(classes, (batch,), device=device)
    saflex = None if method == "upstream" else Saflex(preset="proximal", scope=method)

    def turn(steps: int) -> None:
        for _ in range(steps):
            if saflex is None:
                loss = functional.cross_entropy(model(samples), labels)
            else:
                refined = saflex(
                    model=model,
                    inputs=samples,
                    upstream_labels=labels,
                    outer_inputs=trusted,
                    outer_labels=labels,
                )
                loss = refined.loss()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    return sum(parameter.numel() for parameter in model.parameters()), turn
