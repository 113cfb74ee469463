"""`saflex bench methods`: what a training step of each method of a recipe costs."""

from typing import TYPE_CHECKING, Annotated

import typer

from saflex_cli.cli.bench.arguments import RecipeArgument, Write
from saflex_cli.cli.options import DataRoot, Device, DeviceOption, Out, Overrides

if TYPE_CHECKING:
    from saflex_cli.store.bench import Benchmark

EXAMPLES = """\b
Examples:
  saflex bench methods quickstart/digits
  saflex bench methods medmnist/breastmnist-randaugment --method upstream --method saflex_paper --rounds 20
  saflex bench methods medmnist/pathmnist-randaugment --device cuda --steps 50 --write"""


def run(
    recipe: RecipeArgument,
    method: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="Only this method, or all of this name; repeatable. The baseline stays."),
    ] = None,
    baseline: Annotated[str, typer.Option(metavar="LABEL", help="The method that costs 1.")] = "upstream",
    rounds: Annotated[int, typer.Option(min=1, help="How often every method has its turn.")] = 10,
    steps: Annotated[int, typer.Option(min=1, help="Training steps per turn.")] = 3,
    write: Write = False,
    overrides: Overrides = None,
    data_root: DataRoot = None,
    out: Out = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Time training steps of all methods, in turns in one process, and print their cost relative to the upstream's.

    The whole step is timed as in a run, with batches and augmentation and without validation. Ratios are taken round
    by round, so that what else the machine does meets all methods alike; leave it alone all the same. Without --method,
    methods without training steps (references from scikit-learn) are left out.
    """
    from saflex_cli.cli.bench.progress import rounds_of
    from saflex_cli.cli.plan import landing, load_recipes, select_methods
    from saflex_cli.experiment.benchmark import measure
    from saflex_cli.store.bench import write_benchmark

    results, _ = landing(out, overrides or [])
    [loaded] = load_recipes([recipe], overrides or [])
    chosen = [*select_methods(loaded, [baseline])[:1], *select_methods(loaded, method or [])]
    kept = dict.fromkeys(one.label for one in chosen if one.uses_network or method or one.label == baseline)
    measured = measure(
        loaded,
        list(kept),
        steps=steps,
        rounds=rounds,
        root=data_root,
        device=device.value,
        on_round=rounds_of(rounds),
    )
    _show(measured)
    if write:
        typer.echo(f"Written: {write_benchmark(results, measured)}")


def _show(measured: "Benchmark") -> None:
    from statistics import median

    from saflex_cli.cli.bench.progress import where_of
    from saflex_cli.cli.console import grid, show

    table = grid("method", ">ms per step", f">cost ({measured.baseline} = 1)", ">quartiles")
    for cost in measured.costs:
        middle, low, high = measured.summary(cost.method)
        milliseconds = f"{1000 * median(cost.seconds):.1f}"
        table.add_row(cost.method, milliseconds, f"{middle:.2f}", f"{low:.2f} to {high:.2f}")
    show(table)
    rounds = len(measured.costs[0].seconds)
    typer.echo(f"{measured.recipe}, {rounds} rounds of {measured.steps} steps, {where_of(measured.environment)}")
