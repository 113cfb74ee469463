"""Train one method with one seed, evaluate it on the test data once, and write its report."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from saflex_cli.augment.batch import UpstreamFunction
from saflex_cli.config.identity import config_hash, find_method
from saflex_cli.config.load import load_recipe
from saflex_cli.config.references import Reference
from saflex_cli.config.schema import Recipe, SaflexMethod
from saflex_cli.data.build import build_data
from saflex_cli.data.root import data_root
from saflex_cli.data.splits import Splits
from saflex_cli.errors import RecipeError, SaflexError
from saflex_cli.experiment.facts import label_facts
from saflex_cli.experiment.parts import Parts, build_parts
from saflex_cli.experiment.places import Places, Progress, StateName, checkpoint_path
from saflex_cli.experiment.references import run_reference
from saflex_cli.store.files import find_report, write_report
from saflex_cli.store.report import (
    Environment,
    EpochRow,
    Metrics,
    Report,
    SaflexFacts,
    Scores,
    Selected,
    Timing,
)
from saflex_cli.train.checkpoint import Checkpoint, write_checkpoint
from saflex_cli.train.evaluate import evaluate
from saflex_cli.train.loop import Fit, TrainingState
from saflex_cli.train.provenance import environment, resolve_device
from saflex_cli.train.references import require_rows
from saflex_cli.train.step import State
from saflex_cli.train.steps import outer_size


def run(
    recipe: Recipe | Path | str,
    *,
    methods: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    augmenter: UpstreamFunction | None = None,
    places: Places | None = None,
    device: str = "auto",
    force: bool = False,
) -> list[Report]:
    """Run a comparison, one run after the other, and return its reports.

    Args:
        recipe: A recipe, or the path of its file.
        methods: Labels of the methods to run; all of them otherwise.
        seeds: The recipe's seeds otherwise.
        augmenter: Your own upstream augmentation, in the place of the recipe's: called with inputs (B, …), classes
        (B,) and a
            `torch.Generator`; returns augmented inputs with classes (B,) or soft labels (B, K), or an `AugmentedBatch`.
        places: Where to keep reports and checkpoints, and where data lie. Without it nothing is kept on disk, and with
            an augmenter neither: what a function does cannot be told from its name, so that a stored report could be
            taken for the run of another function. Save `report.model_dump_json()` yourself.
        device: `auto`, `cpu` or `cuda`.
        force: Run again what has a report already.

    Raises:
        SaflexError: says what is wrong with the recipe, the data or a run.
    """
    recipe = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    labels = methods if methods is not None else [method.label for method in recipe.methods]
    with TemporaryDirectory() as scratch:
        kept = places or Places()
        if places is None or augmenter is not None:
            kept = Places(Path(scratch) / "results", Path(scratch) / "runs", kept.data_root)
        check(recipe, labels, kept, augmenter)
        return [
            run_one(recipe, label, seed, places=kept, device=device, force=force, augmenter=augmenter)
            for label in labels
            for seed in (seeds if seeds is not None else recipe.seeds_of(find_method(recipe, label)))
        ]


def check(
    recipe: Recipe, labels: Sequence[str], places: Places, augmenter: UpstreamFunction | None = None
) -> tuple[str, ...]:
    """Find before the first run what would stop a later one: missing data or outer samples, parts that do not fit.

    Gives what the reader of the data inferred or left out, and what a pool took, for the user.

    Raises:
        SaflexError: names the recipe's field and what to do.
    """
    seed = recipe.seeds[0]
    splits: Splits | None = None
    notes: tuple[str, ...] = ()
    for label in labels:
        try:
            splits = splits or build_data(recipe.data, seed, data_root(places.data_root))
            parts = build_parts(recipe, label, seed, places.data_root, augmenter, splits=splits)
            notes = parts.splits.notes
            if parts.upstream is None and parts.method.uses_upstream:
                raise RecipeError(f"method {label} needs an augmentation; add the key augmenter")
            if isinstance(parts.method, SaflexMethod):
                outer_size(parts.method, parts.splits, recipe.train.batch_size)
            if isinstance(parts.method, Reference):
                require_rows(parts.method, parts.splits)
            else:
                parts.model(torch.device("cpu"))
        except SaflexError as error:
            raise type(error)(f"recipe {recipe.name}: {error}") from error
    return notes


def run_one(
    recipe: Recipe,
    label: str,
    seed: int,
    *,
    places: Places,
    device: str = "auto",
    force: bool = False,
    augmenter: UpstreamFunction | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Train and evaluate one method with one seed; return the report that is there already unless `force` is set.

    A run that was stopped goes on from its last checkpoint, between two epochs; a reference begins anew.

    Raises:
        SaflexError: says what is wrong with the recipe, the data, a checkpoint or the run.
    """
    started = time.perf_counter()
    if not force and (found := find_report(places.results, recipe, find_method(recipe, label), seed)):
        return found
    target = resolve_device(device)
    parts = build_parts(recipe, label, seed, places.data_root, augmenter)
    if isinstance(parts.method, Reference):
        report, curve = run_reference(parts, parts.method, started)
        write_report(places.results, report, curve)
        return report
    resume = checkpoint_path(places, recipe.name, label, seed, "resume")
    if force:
        resume.unlink(missing_ok=True)
    fit = parts.fit(parts.model(target), target, resume)

    def tell(state: TrainingState) -> None:
        if on_progress is not None:
            rate = state.steps / max(state.seconds, 1e-9)
            on_progress(Progress(recipe.name, label, seed, state.epoch, recipe.train.epochs, rate))

    state = fit.run(tell)
    report = _report(parts, fit, state, target, places, started)
    write_report(places.results, report, [EpochRow(**row) for row in state.curve])
    resume.unlink(missing_ok=True)
    return report


def _report(
    parts: Parts, fit: Fit, state: TrainingState, device: torch.device, places: Places, started: float
) -> Report:
    """Evaluate the last and the selected state on the test data, once each, keep both, and collect the facts."""
    with fit.evaluating():
        val, test = _judged(parts, fit, device)
        last = Scores(epoch=state.epoch, val=val, test=test)
        _keep(parts, fit, places, "last", state.epoch)
    return Report(
        recipe=parts.recipe.name,
        method=parts.method.label,
        seed=parts.seed,
        config=parts.config,
        config_hash=config_hash(parts.config),
        data=parts.data_facts,
        parameters=sum(p.numel() for p in fit.model.parameters() if p.requires_grad),
        selected=_selected(parts, fit, state, device, places),
        last=last,
        saflex=_saflex_facts(fit, state),
        timing=Timing(
            train_seconds=round(state.seconds, 3),
            total_seconds=round(time.perf_counter() - started, 3),
            steps_per_second=round(state.steps / max(state.seconds, 1e-9), 2),
        ),
        environment=Environment.model_validate(environment(device)),
    )


def _selected(parts: Parts, fit: Fit, state: TrainingState, device: torch.device, places: Places) -> Selected | None:
    if parts.trains_on_val:
        return None
    fit.model.load_state_dict(state.best)
    _keep(parts, fit, places, "selected", state.best_epoch)
    selection = parts.recipe.selection
    val, test = _judged(parts, fit, device)
    return Selected(epoch=state.best_epoch, metric=selection.metric, split=selection.split, val=val, test=test)


def _judged(parts: Parts, fit: Fit, device: torch.device) -> tuple[Metrics | None, Metrics]:
    val = None if fit.val is None else Metrics(**evaluate(fit.model, fit.val))
    return val, Metrics(**evaluate(fit.model, parts.splits.test.to(device)))


def _keep(parts: Parts, fit: Fit, places: Places, name: StateName, epoch: int) -> None:
    """Save a finished state with the recipe in it, so that `saflex eval` needs nothing else."""
    model: State = fit.model.state_dict()
    facts = parts.identity | {"state": name, "epoch": epoch, "full_recipe": parts.recipe.model_dump(mode="json")}
    path = checkpoint_path(places, parts.recipe.name, parts.method.label, parts.seed, name)
    write_checkpoint(path, Checkpoint({"model": model}, facts))


def _saflex_facts(fit: Fit, state: TrainingState) -> SaflexFacts | None:
    if not fit.refined:
        return None
    rows = state.curve
    return SaflexFacts(
        mean_weight=sum(row["mean_weight"] for row in rows) / len(rows),
        label_change_rate=sum(row["label_change_rate"] for row in rows) / len(rows),
        dropped_steps=sum(row["dropped_steps"] for row in rows),
        steps=state.steps,
        labels=label_facts(state.labels),
    )
