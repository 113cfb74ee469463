"""`saflex train`: run what recipes compare."""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saflex_cli.cli.catalogue import complete_table_or_recipe
from saflex_cli.cli.options import DataRoot, Device, DeviceOption, Out, Overrides
from saflex_cli.errors import ResultsError, TrainingError

if TYPE_CHECKING:
    from saflex_cli.cli.plan import PlannedRun
    from saflex_cli.experiment import Places
    from saflex_cli.launch.jobs import Outcome, Run

EXAMPLES = """\b
Examples:
  saflex train quickstart/digits
  saflex train recipes/quickstart/digits.yaml --method saflex_proximal --seed 0 --seed 1
  saflex train quickstart/digits --jobs 2 --dry-run
  saflex train tabular/qsar-mlp --together
  saflex train table1 --dry-run
  saflex train quickstart/digits --set train.epochs=2 --set optimizer.lr=0.001"""


def run(
    recipe: Annotated[
        list[str],
        typer.Argument(
            metavar="RECIPE|TABLE",
            help="Path or name of a recipe, or of a table: then all its runs.",
            autocompletion=complete_table_or_recipe,
        ),
    ],
    method: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="Only this method, or all of this name (`saflex`); repeatable."),
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option(min=0, help="This seed instead of the recipe's; repeatable.")
    ] = None,
    overrides: Overrides = None,
    data_root: DataRoot = None,
    out: Out = None,
    device: DeviceOption = Device.AUTO,
    jobs: Annotated[int, typer.Option(min=1, help="Runs side by side; they share the cores.")] = 1,
    together: Annotated[
        bool, typer.Option("--together", help="All seeds of a method in one program; for the model mlp.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would run, and run nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Run again what has a report, and replace it.")] = False,
) -> None:
    """Run every method of a recipe with every seed, or all runs of a table.

    Every run writes one report. Finished runs are skipped, and an interrupted run goes on from its last checkpoint.
    With --set, and without --out, results go to a folder of their own under runs/.
    """
    from saflex_cli.cli.costs import Costs
    from saflex_cli.cli.plan import landing, load_selection, plan_runs
    from saflex_cli.cli.plan_view import announce, show_plan

    changes = overrides or []
    results, runs = landing(out, changes)
    loaded = load_selection(recipe, changes)
    plan = plan_runs(loaded, methods=method or [], seeds=seed or [], results=results)
    announce(plan, results)
    Costs.read({results, Path("results")}).announce(plan)
    if dry_run:
        show_plan(plan)
        return
    wanted = choose(plan, force=force)
    if wanted:
        from saflex_cli.experiment import Places

        places = Places(results=results, runs=runs, data_root=data_root)
        execute(wanted, places, device=device.value, jobs=jobs, together=together, force=force)
    complete = all(planned.state == "done" for planned in plan_runs(loaded, results=results))
    _say_how_to_see(recipe, out, changes, complete=complete)


def choose(plan: "Sequence[PlannedRun]", *, force: bool) -> "list[PlannedRun]":
    """The runs to make: all of them when forced, else those without a report; a stale report is an error."""
    if force:
        return list(plan)
    stale = [planned.stale for planned in plan if planned.stale is not None]
    if stale:
        others = f"\nand {len(stale) - 1} more; --dry-run lists them" if len(stale) > 1 else ""
        raise ResultsError(f"{stale[0]}{others}") from stale[0]
    return [planned for planned in plan if planned.state == "to do"]


def execute(
    wanted: "Sequence[PlannedRun]",
    places: "Places",
    *,
    device: str,
    jobs: int,
    together: bool,
    force: bool,
    on_end: "Callable[[Outcome], None] | None" = None,
    run: "Run | None" = None,
) -> None:
    """Make runs, by `run` where it is given, and show how they go on; `on_end` hears of each that ends.

    Raises:
        SaflexError: before the first run, if data or parts of a recipe do not fit.
        TrainingError: at the end, if runs failed.
    """
    from saflex_cli.cli.console import explain
    from saflex_cli.cli.progress import watch
    from saflex_cli.experiment import check, run_one, run_together
    from saflex_cli.launch.jobs import Event, Job, Outcome
    from saflex_cli.launch.local import launch
    from saflex_cli.train.provenance import resolve_device
    from saflex_cli.train.together.build import refuse_apart

    resolve_device(device)
    for planned in wanted if together else ():
        refuse_apart(planned.recipe, planned.method)
    notes: dict[str, None] = {}
    for recipe in {planned.recipe.name: planned.recipe for planned in wanted}.values():
        labels = [planned.method.label for planned in wanted if planned.recipe is recipe]
        notes |= dict.fromkeys(check(recipe, list(dict.fromkeys(labels)), places))
    for note in notes:
        typer.echo(f"data: {note}")
    queue = [Job(planned.recipe, planned.method.label, planned.seed) for planned in wanted]
    with watch(queue) as show_event:

        def on_event(event: Event) -> None:
            show_event(event)
            if on_end is not None and isinstance(event, Outcome):
                on_end(event)

        outcomes = launch(
            queue,
            places=places,
            workers=jobs,
            device=device,
            force=force,
            on_event=on_event,
            run=run or run_one,
            together=run_together if together else None,
        )
    failed = [f"  {outcome.job}: {explain(outcome.error)}" for outcome in outcomes if outcome.error is not None]
    if failed:
        listed = "\n".join(failed)
        raise TrainingError(f"{len(failed)} of {len(queue)} runs failed; the others are kept\n{listed}")


def _say_how_to_see(recipe: Sequence[str], out: Path | None, overrides: Sequence[str], *, complete: bool) -> None:
    command = ["saflex", "table", *recipe]
    command += [word for override in overrides for word in ("--set", override)]
    command += ["--out", str(out)] if out is not None else []
    command += [] if complete else ["--allow-missing"]
    typer.echo(f"See the table: {shlex.join(command)}")
