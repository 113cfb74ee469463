"""Train all seeds of one method in one program, and write a report for each."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from saflex_cli.config.components import Mlp
from saflex_cli.config.identity import find_method
from saflex_cli.config.schema import Recipe
from saflex_cli.errors import RecipeError, SaflexValueError, TrainingError
from saflex_cli.experiment.parts import Parts, build_parts
from saflex_cli.experiment.places import Places, Progress, together_path
from saflex_cli.experiment.reporting import Trained, finish
from saflex_cli.models.mlp_stack import MlpStack
from saflex_cli.models.standardise import Standardised
from saflex_cli.seeding import Streams
from saflex_cli.store.files import find_report
from saflex_cli.store.report import Report
from saflex_cli.train.optimizer import optimizer_of
from saflex_cli.train.provenance import resolve_device
from saflex_cli.train.steps import train_split
from saflex_cli.train.together.build import build_stacked_step, refuse_apart
from saflex_cli.train.together.loop import Samples, StackedFit
from saflex_cli.train.together.network import Network
from saflex_cli.train.together.program import Program


def run_together(
    recipe: Recipe,
    label: str,
    seeds: Sequence[int],
    *,
    places: Places,
    device: str = "auto",
    force: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[Report | TrainingError]:
    """Train and evaluate one method with several seeds as `run_one` would one by one, in one program.

    Seeds with a report are left out unless `force` is set. A program that was stopped goes on from its checkpoint.

    Returns:
        For every seed its report, or why it has none: its loss was not finite.

    Raises:
        SaflexError: says why the seeds cannot be trained together, or what is wrong with the recipe, the data, a
            checkpoint or a report.
    """
    started = time.perf_counter()
    method = find_method(recipe, label)
    refuse_apart(recipe, method)
    done = {} if force else {seed: find_report(places.results, recipe, method, seed) for seed in seeds}
    missing = [seed for seed in seeds if done.get(seed) is None]
    ended: dict[int, Report | TrainingError] = {seed: report for seed, report in done.items() if report is not None}
    if missing:
        parts = [build_parts(recipe, label, seed, places.data_root) for seed in missing]
        ended |= zip(missing, _train(parts, places, resolve_device(device), started, force, on_progress), strict=True)
    return [ended[seed] for seed in seeds]


def _train(
    parts: Sequence[Parts],
    places: Places,
    device: torch.device,
    started: float,
    force: bool,
    on_progress: Callable[[Progress], None] | None,
) -> list[Report | TrainingError]:
    checkpoint = together_path(places, parts[0].recipe.name, parts[0].method.label)
    if force:
        checkpoint.unlink(missing_ok=True)
    models = [part.model(device) for part in parts]
    fit = stacked_fit(parts, models, device, checkpoint)
    program = fit.run(partial(_tell, parts, on_progress))
    shared = (time.perf_counter() - started) / len(parts)
    ended: list[Report | TrainingError] = []
    last = fit.stack.split(fit.stack.parameters)
    for place, (part, model, state) in enumerate(zip(parts, models, last, strict=True)):
        if place in program.failures:
            ended.append(program.failures[place])
            continue
        model.load_state_dict(state)
        trained = Trained(part, model, program.states[place], device)
        ended.append(finish(trained, places, started=time.perf_counter() - shared, seeds_together=len(parts)))
    checkpoint.unlink(missing_ok=True)
    return ended


def _tell(parts: Sequence[Parts], on_progress: Callable[[Progress], None] | None, program: Program) -> None:
    if on_progress is None:
        return
    for part, state in zip(parts, program.states, strict=True):
        recipe, rate = part.recipe, state.steps / max(state.seconds, 1e-9)
        on_progress(Progress(recipe.name, part.method.label, part.seed, state.epoch, recipe.train.epochs, rate))


def stacked_fit(
    parts: Sequence[Parts], models: Sequence[Standardised], device: torch.device, checkpoint: Path
) -> StackedFit:
    """The training loop of several seeds of one method, ready to run.

    Raises:
        RecipeError: if the seeds' splits differ in size or in what the model makes of them.
        DataError: if an explicit outer batch is larger than its set.
    """
    recipe, method, trains_on_val = parts[0].recipe, parts[0].method, parts[0].trains_on_val
    config = recipe.model
    splits = [part.splits.to(device) for part in parts]
    sizes = {(len(own.train), len(own.val)) for own in splits}
    try:
        stack = MlpStack(models)
    except SaflexValueError as error:
        raise _unequal(recipe, str(error)) from error
    if len(sizes) > 1:
        raise _unequal(recipe, "the splits of the seeds differ in size")
    network = Network(stack, config.dropout if isinstance(config, Mlp) else 0.0, [Streams(part.seed) for part in parts])
    return StackedFit(
        network=network,
        step=build_stacked_step(
            method,
            network=network,
            splits=splits,
            upstreams=[part.upstream for part in parts],
            batch_size=recipe.train.batch_size,
        ),
        optimizer=optimizer_of(recipe.optimizer, stack.parameters.values(), foreach=True),
        train=Samples.stacked([train_split(method, own) for own in splits]),
        val=None if trains_on_val else Samples.stacked([own.val for own in splits]),
        recipe=recipe,
        seeds=tuple(part.seed for part in parts),
        checkpoint=checkpoint,
        identity={name: value for name, value in parts[0].identity.items() if name != "seed"},
        refined=parts[0].refined,
    )


def _unequal(recipe: Recipe, what: str) -> RecipeError:
    return RecipeError(
        f"{recipe.name}: the seeds cannot be trained together: {what}; give all of them one split (data.split_seed), "
        "or train them one by one"
    )
