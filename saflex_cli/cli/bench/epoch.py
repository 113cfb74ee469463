"""`saflex bench epoch`: what whole epochs cost."""

from typing import TYPE_CHECKING, Annotated

import typer

from saflex_cli.cli.bench.arguments import QUICK, Quick, RecipeArgument, Write, refuse_quick
from saflex_cli.cli.options import DataRoot, Device, DeviceOption, Out, Overrides

if TYPE_CHECKING:
    from saflex_cli.store.performance.epoch import EpochBenchmark

EXAMPLES = """\b
Examples:
  saflex bench epoch tabular/shrutime-mlp --write
  saflex bench epoch medmnist/breastmnist-mixup --method saflex_paper --rounds 5
  saflex bench epoch tabular/qsar-mlp --epochs 10 --run-epochs 50"""


def run(
    recipe: RecipeArgument,
    method: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="This one, not all of SAFLEX; repeatable. The upstream stays."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often every method has its turn.")] = 10,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs per turn.")] = 1,
    run_epochs: Annotated[
        int, typer.Option(min=0, help="Epochs of whole runs beside the same by hand, in every round; 0 for none.")
    ] = 5,
    quick: Quick = False,
    write: Write = False,
    overrides: Overrides = None,
    data_root: DataRoot = None,
    out: Out = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Time whole epochs of the upstream and of SAFLEX, loader and augmentation included, validation excluded.

    All methods take turns in one process; the overhead stands beside the one that the paper states for the
    augmentation. Then whole runs of the upstream, validation and checkpoints included, beside a loop written by hand.
    """
    from saflex_cli.cli.bench.progress import rounds_of
    from saflex_cli.cli.plan import landing, load_recipes, select_methods
    from saflex_cli.experiment.costs.epochs import measure_epochs
    from saflex_cli.store.performance.epoch import BASELINE, epoch_path
    from saflex_cli.store.performance.files import write_record

    refuse_quick(quick=quick, write=write)
    results, _ = landing(out, overrides or [])
    [loaded] = load_recipes([recipe], [*(overrides or []), *(QUICK if quick else ())])
    select_methods(loaded, [BASELINE])
    chosen = [one.label for one in select_methods(loaded, method or []) if method or one.name == "saflex"]
    rounds, epochs, run_epochs = (1, 1, min(1, run_epochs)) if quick else (rounds, epochs, run_epochs)
    measured = measure_epochs(
        loaded,
        list(dict.fromkeys([BASELINE, *chosen])),
        rounds=rounds,
        epochs=epochs,
        run_epochs=run_epochs,
        root=data_root,
        device=device.value,
        on_round=rounds_of(rounds),
    )
    _show(measured)
    if write:
        typer.echo(f"Written: {write_record(epoch_path(results, measured.recipe), measured)}")


def _show(measured: "EpochBenchmark") -> None:
    from statistics import median

    from saflex_cli.cli.bench.progress import where_of
    from saflex_cli.cli.console import grid, show
    from saflex_cli.store.performance.epoch import BASELINE

    table = grid("method", ">s per epoch", ">overhead", ">range")
    for cost in measured.costs:
        middle, low, high = measured.summary(cost.method)
        words = ("–", "–") if cost.method == BASELINE else (f"{middle:+.0f} %", f"{low:+.0f} to {high:+.0f} %")
        table.add_row(cost.method, f"{median(cost.seconds):.3f}", *words)
    show(table)
    stated = "states none for this augmentation" if measured.published is None else f"states {measured.published:+d} %"
    typer.echo(f"The paper {stated}.")
    if measured.run is not None:
        ratios = measured.run.ratios()
        typer.echo(
            f"A whole run of the upstream takes {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) times "
            f"what the same {measured.run.epochs} epochs take by hand."
        )
    rounds = len(measured.costs[0].seconds)
    typer.echo(
        f"{measured.recipe}, {rounds} rounds of {measured.epochs} epochs of {measured.batches} steps, "
        f"{where_of(measured.machine)}"
    )
