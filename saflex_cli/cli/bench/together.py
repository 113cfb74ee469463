"""`saflex bench together`: what all seeds cost in one program."""

from typing import TYPE_CHECKING, Annotated

import typer

from saflex_cli.cli.bench.arguments import RecipeArgument, Write
from saflex_cli.cli.options import DataRoot, Device, DeviceOption, Out, Overrides

if TYPE_CHECKING:
    from saflex_cli.store.bench import TogetherBenchmark

EXAMPLES = """\b
Examples:
  saflex bench together tabular/qsar-mlp --seeds 10 --rounds 3 --write"""


def run(
    recipe: RecipeArgument,
    method: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="Only this method, or all of this name; repeatable."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 10,
    rounds: Annotated[int, typer.Option(min=1, help="How often every method has its turn.")] = 3,
    write: Write = False,
    overrides: Overrides = None,
    data_root: DataRoot = None,
    out: Out = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Time whole runs of several seeds: one program for all, and one run after the other, in turns in one process."""
    from saflex_cli.cli.console import complain
    from saflex_cli.cli.plan import landing, load_recipes, select_methods
    from saflex_cli.experiment.together_benchmark import measure_together
    from saflex_cli.store.bench import write_benchmark

    def tell(label: str, number: int) -> None:
        complain(f"round {number} of {rounds}: {label}", label="")

    results, _ = landing(out, overrides or [])
    [loaded] = load_recipes([recipe], overrides or [])
    labels = [one.label for one in select_methods(loaded, method or []) if one.uses_network or method]
    measured = measure_together(
        loaded, labels, seeds=seeds, rounds=rounds, root=data_root, device=device.value, on_turn=tell
    )
    _show(measured)
    if write:
        typer.echo(f"Written: {write_benchmark(results, measured)}")


def _show(measured: "TogetherBenchmark") -> None:
    from statistics import median

    from saflex_cli.cli.bench.progress import where_of
    from saflex_cli.cli.console import grid, show

    table = grid("method", ">one by one", ">together", ">ratio", ">range", ">difference")
    for cell in measured.cells:
        middle, low, high = cell.summary()
        seconds = (f"{median(cell.one_by_one):.1f}", f"{median(cell.together):.1f}")
        table.add_row(cell.method, *seconds, f"{middle:.2f}", f"{low:.2f} to {high:.2f}", f"{cell.difference:.1g}")
    show(table)
    rounds = len(measured.cells[0].together)
    typer.echo(
        f"{measured.recipe}, seconds of {measured.seeds} seeds, {rounds} rounds, {where_of(measured.environment)}"
    )
