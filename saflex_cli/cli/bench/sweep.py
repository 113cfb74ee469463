"""`saflex bench sweep`: cost against batch size, classes and parameters."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saflex_cli.cli.bench.arguments import Quick, refuse_quick
from saflex_cli.cli.options import Device, DeviceOption, Out

if TYPE_CHECKING:
    from saflex_cli.store.performance.sweep import Sweep

EXAMPLES = """\b
Examples:
  saflex bench sweep --write
  saflex bench sweep --quick"""

_FIGURE = Path("docs", "figures", "performance-sweep.png")


def run(
    rounds: Annotated[int, typer.Option(min=1, help="How often every method has its turn at every place.")] = 9,
    steps: Annotated[int, typer.Option(min=1, help="Training steps per turn.")] = 5,
    quick: Quick = False,
    write: Annotated[
        bool, typer.Option("--write", help=f"Write it to the results, under bench/, and {_FIGURE}.")
    ] = False,
    out: Out = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Time steps of a made-up MLP plain and under SAFLEX, and print the exponents with which their cost grows.

    An exponent of 1 is linear growth. It is fitted to the upper half of the places: below, what a step costs at any
    size hides the growth.
    """
    from saflex_cli.cli.console import complain
    from saflex_cli.errors import SaflexError
    from saflex_cli.experiment.costs.sweep import QUICK, Grid, measure_sweep
    from saflex_cli.store.files import write_bytes
    from saflex_cli.store.performance.files import write_record
    from saflex_cli.store.performance.sweep import sweep_path

    refuse_quick(quick=quick, write=write)
    if write and not find_spec("matplotlib"):
        raise SaflexError("the figure needs matplotlib; install it with: pip install 'saflex[figures]'")
    grid, rounds, steps = (QUICK, 1, 1) if quick else (Grid(), rounds, steps)
    measured = measure_sweep(
        grid, rounds=rounds, steps=steps, device=device.value, on_place=lambda place: complain(place, label="")
    )
    _show(measured)
    if write:
        typer.echo(f"Written: {write_record(sweep_path(out or Path('results')), measured)}")
        write_bytes(_FIGURE, draw(measured))
        typer.echo(f"Written: {_FIGURE}")


def draw(measured: "Sweep") -> bytes:
    """The figure of a sweep."""
    from saflex_cli.figures.growth import Growth, GrowthPanel, draw_growth
    from saflex_cli.store.performance.sweep import AXES

    panels = tuple(
        GrowthPanel(
            axis,
            tuple(
                Growth(
                    method,
                    tuple((float(at), 1000 * seconds) for at, seconds in measured.curve(axis, method)),
                    measured.slope(axis, method),
                )
                for method in measured.methods
            ),
        )
        for axis in AXES
    )
    note = (
        f"MLP {measured.inputs}–{measured.width}–{measured.width}, batch and outer batch {measured.batch_size}, "
        f"{measured.classes} classes, one varied at a time; numbers are exponents of the upper half. "
        f"{measured.machine.device}, {measured.machine.threads} threads"
    )
    return draw_growth("Cost of a training step", note, panels, "ms per step")


def _show(measured: "Sweep") -> None:
    from saflex_cli.cli.bench.progress import where_of
    from saflex_cli.cli.console import grid, show
    from saflex_cli.store.performance.sweep import AXES

    table = grid("method", *(f">{axis}" for axis in AXES))
    for method in measured.methods:
        table.add_row(method, *(f"{measured.slope(axis, method):.2f}" for axis in AXES))
    show(table)
    typer.echo(f"Exponents of the growth of a step's time; {where_of(measured.machine)}")
