"""`saflex bench profile`: where the time of a training step goes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saflex_cli.cli.bench.arguments import RecipeArgument
from saflex_cli.cli.options import DataRoot, Device, DeviceOption, Overrides

if TYPE_CHECKING:
    from saflex_cli.experiment.costs.profile import Profile

EXAMPLES = """\b
Examples:
  saflex bench profile tabular/qsar-mlp --method saflex_proximal
  saflex bench profile quickstart/digits --method upstream --trace runs/trace.json"""

_NAME = 40
"""Longest shown name of an operation."""


def run(
    recipe: RecipeArgument,
    method: Annotated[str, typer.Option(metavar="LABEL", help="The method.")] = "upstream",
    steps: Annotated[int, typer.Option(min=1, help="Training steps, after a warm-up.")] = 20,
    top: Annotated[int, typer.Option(min=1, help="How many of the slowest operations to show.")] = 12,
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the steps for chrome://tracing or Perfetto.")
    ] = None,
    overrides: Overrides = None,
    data_root: DataRoot = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Print the share of a training step that goes into batches, augmentation, passes, solution and update.

    Shares come from synchronised timers around each part, the list of operations from torch's profiler in a second
    pass. A forward pass of outer samples counts as outer; what belongs to no part (the loss, for one) is the rest.
    """
    import os

    os.environ.setdefault("KINETO_LOG_LEVEL", "5")  # read by torch when it loads: its profiler is chatty
    from saflex_cli.cli.plan import load_recipes, select_methods
    from saflex_cli.experiment.costs.profile import measure_profile

    [loaded] = load_recipes([recipe], overrides or [])
    label = select_methods(loaded, [method])[0].label
    measured = measure_profile(
        loaded, label, steps=steps, root=data_root, device=device.value, trace=trace, operations=top
    )
    _show(measured)
    typer.echo(f"{loaded.name}, {label}, {steps} steps of {1000 * measured.total:.2f} ms")
    if trace is not None:
        typer.echo(f"Written: {trace}")


def _show(measured: "Profile") -> None:
    from saflex_cli.cli.console import grid, show

    table = grid("part", ">ms per step", ">share")
    for name, seconds in measured.sections.items():
        table.add_row(name, f"{1000 * seconds:.3f}", f"{seconds / measured.total:.1%}")
    show(table)
    typer.echo()
    table = grid("operation", ">calls per step", ">ms per step")
    for operation in measured.operations:
        table.add_row(operation.name[:_NAME], f"{operation.calls:g}", f"{1000 * operation.seconds:.3f}")
    show(table)
