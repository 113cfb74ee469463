"""`saflex bench overhead`: what SAFLEX itself costs."""

from typing import TYPE_CHECKING, Annotated

import typer

from saflex_cli.cli.bench.arguments import QUICK, Quick, RecipeArgument, Write, refuse_quick
from saflex_cli.cli.options import DataRoot, Device, DeviceOption, Out, Overrides

if TYPE_CHECKING:
    from saflex_cli.store.performance.overhead import Overhead

EXAMPLES = """\b
Examples:
  saflex bench overhead tabular/qsar-mlp --memory --write
  saflex bench overhead medmnist/breastmnist-randaugment --rounds 20 --device cuda
  saflex bench overhead tabular/shrutime-mlp --quick"""


def run(
    recipe: RecipeArgument,
    rounds: Annotated[int, typer.Option(min=1, help="How often every variant has its turn.")] = 15,
    steps: Annotated[int, typer.Option(min=4, help="Training steps per turn; a multiple of 4.")] = 8,
    memory: Annotated[
        bool,
        typer.Option("--memory", help="Peak memory as well; on a CPU in processes of their own, which takes longer."),
    ] = False,
    repeats: Annotated[int, typer.Option(min=1, help="How often memory is measured.")] = 5,
    quick: Quick = False,
    write: Write = False,
    overrides: Overrides = None,
    data_root: DataRoot = None,
    out: Out = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Time training steps of SAFLEX over the classifier layer and over all parameters, in turns in one process.

    The variants are made from the recipe's data, model and augmentation: the upstream alone, with twice the batch and
    with the clean batch, no augmentation, SAFLEX with an outer batch of B or B/4 and an outer gradient for one or four
    steps, and a training loop written by hand. The recipe's own methods play no part.
    """
    from saflex_cli.cli.console import complain
    from saflex_cli.cli.plan import landing, load_recipes
    from saflex_cli.experiment.costs.overhead import CYCLE, measure_overhead
    from saflex_cli.store.performance.files import write_record
    from saflex_cli.store.performance.overhead import overhead_path

    refuse_quick(quick=quick, write=write)
    results, _ = landing(out, overrides or [])
    [loaded] = load_recipes([recipe], [*(overrides or []), *(QUICK if quick else ())])
    rounds, steps, repeats = (2, CYCLE, 1) if quick else (rounds, steps, repeats)
    measured = measure_overhead(
        loaded,
        rounds=rounds,
        steps=steps,
        root=data_root,
        device=device.value,
        repeats=repeats if memory else 0,
        tell=lambda text: complain(text, label=""),
    )
    _show(measured)
    if write:
        typer.echo(f"Written: {write_record(overhead_path(results, measured.recipe), measured)}")


def _show(measured: "Overhead") -> None:
    from statistics import median

    from saflex_cli.cli.bench.progress import where_of
    from saflex_cli.cli.console import grid, show

    table = grid("variant", ">ms", ">upstream = 1", ">range", ">memory", ">added")
    for one in measured.variants:
        ratios = measured.ratios(one.name)
        memory, grown = measured.memory_ratio(one.name), measured.grown(one.name)
        table.add_row(
            one.name,
            f"{1000 * median(one.seconds):.2f}",
            f"{median(ratios):.3f}",
            f"{min(ratios):.2f} to {max(ratios):.2f}",
            "–" if memory is None else f"{memory:.3f}",
            "–" if grown is None else f"{grown / 2**20:.0f} MiB",
        )
    show(table)
    for name, reason in measured.left_out.items():
        typer.echo(f"{name}: left out; {reason}")
    rounds = len(measured.variants[0].seconds)
    typer.echo(f"{measured.recipe}, {rounds} rounds of {measured.steps} steps, {where_of(measured.machine)}")
