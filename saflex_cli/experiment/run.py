"""Train one method with one seed, evaluate it on the test data once, and write its report."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from saflex_cli.augment.batch import UpstreamFunction
from saflex_cli.config.identity import find_method
from saflex_cli.config.load import load_recipe
from saflex_cli.config.references import Reference
from saflex_cli.config.schema import Recipe, SaflexMethod
from saflex_cli.data.build import build_data
from saflex_cli.data.root import data_root
from saflex_cli.data.splits import Splits
from saflex_cli.errors import RecipeError, SaflexError
from saflex_cli.experiment.parts import build_parts
from saflex_cli.experiment.places import Places, Progress, checkpoint_path
from saflex_cli.experiment.references import run_reference
from saflex_cli.experiment.reporting import Trained, finish
from saflex_cli.store.files import find_report, write_report
from saflex_cli.store.report import Report
from saflex_cli.train.loop import TrainingState
from saflex_cli.train.outer import outer_size
from saflex_cli.train.provenance import resolve_device
from saflex_cli.train.references import require_rows


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
    return finish(Trained(parts, fit.model, state, target, fit.evaluating), places, started=started)
