"""`saflex bench`: what a training step of each method costs, and what all seeds together cost."""

from typing import TYPE_CHECKING, Annotated

import typer

from saflex_cli.cli.catalogue import complete_recipe
from saflex_cli.cli.options import DataRoot, Device, DeviceOption, Out, Overrides

if TYPE_CHECKING:
    from pathlib import Path

    from saflex_cli.config.schema import Recipe
    from saflex_cli.store.bench import Benchmark, TogetherBenchmark

EXAMPLES = """\b
Examples:
  saflex bench quickstart/digits
  saflex bench medmnist/breastmnist-randaugment --method upstream --method saflex_paper --rounds 20
  saflex bench medmnist/pathmnist-randaugment --device cuda --steps 50 --write
  saflex bench tabular/qsar-mlp --together --seeds 10 --rounds 3 --write"""


def run(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="Path or name of a recipe.", autocompletion=complete_recipe)
    ],
    method: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="Only this method, or all of this name; repeatable. The baseline stays."),
    ] = None,
    baseline: Annotated[str, typer.Option(metavar="LABEL", help="The method that costs 1.")] = "upstream",
    rounds: Annotated[int | None, typer.Option(min=1, help="How often every method has its turn; 10, or 3.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Training steps per turn.")] = 3,
    together: Annotated[
        bool,
        typer.Option("--together", help="Whole runs instead: all seeds in one program, against one after the other."),
    ] = False,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, with --together.")] = 10,
    write: Annotated[bool, typer.Option("--write", help="Write it to the results, under bench/.")] = False,
    overrides: Overrides = None,
    data_root: DataRoot = None,
    out: Out = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Time training steps of all methods, in turns in one process, and print their cost relative to the upstream's.

    The whole step is timed as in a run, with batches and augmentation and without validation. Ratios are taken round
    by round, so that what else the machine does meets all methods alike; leave it alone all the same. Without --method,
    methods without training steps (references from scikit-learn) are left out.

    With --together, whole runs of several seeds are timed instead: one program for all, and one run after the other.
    """
    from saflex_cli.cli.plan import landing, load_recipes, select_methods
    from saflex_cli.store.bench import write_benchmark

    results, _ = landing(out, overrides or [])
    [loaded] = load_recipes([recipe], overrides or [])
    measured: Benchmark | TogetherBenchmark
    if together:
        labels = [one.label for one in select_methods(loaded, method or []) if one.uses_network or method]
        measured = _together(loaded, labels, seeds=seeds, rounds=rounds or 3, root=data_root, device=device.value)
    else:
        chosen = [*select_methods(loaded, [baseline])[:1], *select_methods(loaded, method or [])]
        kept = dict.fromkeys(one.label for one in chosen if one.uses_network or method or one.label == baseline)
        measured = _steps(loaded, list(kept), steps=steps, rounds=rounds or 10, root=data_root, device=device.value)
    if write:
        typer.echo(f"Written: {write_benchmark(results, measured)}")


def _steps(
    recipe: "Recipe", labels: list[str], *, steps: int, rounds: int, root: "Path | None", device: str
) -> "Benchmark":
    from saflex_cli.cli.console import complain
    from saflex_cli.experiment.benchmark import measure

    def tell(number: int) -> None:
        complain(f"round {number} of {rounds}", label="")

    measured = measure(recipe, labels, rounds=rounds, steps=steps, root=root, device=device, on_round=tell)
    _show(measured)
    return measured


def _together(
    recipe: "Recipe", labels: list[str], *, seeds: int, rounds: int, root: "Path | None", device: str
) -> "TogetherBenchmark":
    from saflex_cli.cli.console import complain
    from saflex_cli.experiment.together_benchmark import measure_together

    def tell(label: str, number: int) -> None:
        complain(f"round {number} of {rounds}: {label}", label="")

    measured = measure_together(recipe, labels, seeds=seeds, rounds=rounds, root=root, device=device, on_turn=tell)
    _show_together(measured)
    return measured


def _show(measured: "Benchmark") -> None:
    from statistics import median

    from saflex_cli.cli.console import grid, show

    table = grid("method", ">ms per step", f">cost ({measured.baseline} = 1)", ">quartiles")
    for cost in measured.costs:
        middle, low, high = measured.summary(cost.method)
        milliseconds = f"{1000 * median(cost.seconds):.1f}"
        table.add_row(cost.method, milliseconds, f"{middle:.2f}", f"{low:.2f} to {high:.2f}")
    show(table)
    where = measured.environment
    rounds = len(measured.costs[0].seconds)
    typer.echo(
        f"{measured.recipe}, {rounds} rounds of {measured.steps} steps, {where.device}, {where.threads} threads, "
        f"torch {where.torch}"
    )


def _show_together(measured: "TogetherBenchmark") -> None:
    from statistics import median

    from saflex_cli.cli.console import grid, show

    table = grid("method", ">one by one", ">together", ">ratio", ">range", ">difference")
    for cell in measured.cells:
        middle, low, high = cell.summary()
        seconds = (f"{median(cell.one_by_one):.1f}", f"{median(cell.together):.1f}")
        table.add_row(cell.method, *seconds, f"{middle:.2f}", f"{low:.2f} to {high:.2f}", f"{cell.difference:.1g}")
    show(table)
    where = measured.environment
    rounds = len(measured.cells[0].together)
    typer.echo(
        f"{measured.recipe}, seconds of {measured.seeds} seeds, {rounds} rounds, {where.device}, "
        f"{where.threads} threads, torch {where.torch}"
    )
