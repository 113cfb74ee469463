"""Our own reports of MedMNIST, found through the table files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from saflex_cli.config.components import MedMnistData, ResNet18, SoftCrop
from saflex_cli.config.schema import LpA3, MethodConfig, NoAug, Recipe, SaflexMethod, Upstream
from saflex_cli.store.bench import Benchmark, read_benchmark, step_benchmarks
from saflex_cli.store.claims.printed import TITLES, title
from saflex_cli.store.claims.text_facts import MEDICAL_SETS
from saflex_cli.store.collect import collect_reports
from saflex_cli.store.estimates import Difference, paired_difference
from saflex_cli.store.performance.epoch import EpochBenchmark, epoch_folder
from saflex_cli.store.performance.files import read_records
from saflex_cli.store.scores import Reports
from saflex_cli.store.table import load_table

_NO_SAFLEX = {"bootstrap", "l2rw"}
"""Presets without the paper's method: an ablation, and another paper's weights."""


@dataclass(frozen=True)
class MeasuredRecipe:
    """A recipe on MedMNIST with its reports."""

    recipe: Recipe
    subset: str
    protocol: str
    """`ResNet-18 of width 16, 30 epochs, sets that are not in the paper`."""
    reports: Mapping[str, Reports]
    """By method label; a method without reports is absent."""

    @property
    def set_name(self) -> str:
        """`BreastMNIST`."""
        return f"{title(self.subset.removesuffix('mnist'))}MNIST" if self.subset not in TITLES else title(self.subset)

    @property
    def augmenter(self) -> str:
        """`RandAugment`."""
        return " + ".join(title(step.name) for step in self.recipe.augmenter or ())

    def labels(self, fits: Callable[[MethodConfig], bool]) -> list[str]:
        """The measured methods that train on the training set and fit."""
        return [
            method.label
            for method in self.recipe.methods
            if method.label in self.reports and method.train_on == ("train",)
            if fits(method)
        ]

    def difference(self, ours: str, theirs: str) -> Difference | None:
        """Test accuracy at the selected epoch, ours minus theirs, paired by seed."""
        return paired_difference(_accuracies(self.reports[ours]), _accuracies(self.reports[theirs]))


@dataclass(frozen=True)
class Measured:
    """Every MedMNIST recipe of the table files that has reports."""

    recipes: tuple[MeasuredRecipe, ...] = ()
    benchmarks: tuple[Benchmark, ...] = ()
    """Of MedMNIST recipes: training steps of all methods, in turns."""
    epochs: tuple[EpochBenchmark, ...] = ()
    """Whole epochs of the upstream and of SAFLEX, in turns."""

    @classmethod
    def load(cls, tables: Path, results: Path) -> "Measured":
        """Read the reports of all table files in a folder; seeds without a report are left out.

        So are the cells of studies, which have a page of their own.

        Raises:
            RecipeError: if a table file or recipe cannot be used.
            ResultsError: if a report is stale or unreadable.
        """
        found: dict[str, tuple[Recipe, dict[str, Reports]]] = {}
        for path in sorted(tables.glob("*.yaml")):
            table = load_table(path)
            reports = collect_reports(table, results, allow_missing=True)
            for column, row in product(table.columns, table.rows):
                if column.source(row).packed:
                    continue
                recipe = column.source(row).recipe
                _, own = found.setdefault(recipe.name, (recipe, {}))
                if by_seed := reports[recipe.name, row.method]:
                    own[row.method] = by_seed
        measured = (_measured(recipe, own) for recipe, own in found.values())
        paths = step_benchmarks(results / "bench" / "medmnist")
        epochs = read_records(epoch_folder(results), EpochBenchmark)
        return cls(tuple(one for one in measured if one), tuple(map(read_benchmark, paths)), tuple(epochs))

    def with_augmenter(self, *names: str) -> tuple[MeasuredRecipe, ...]:
        """The recipes whose upstream augmentation is one of these, alone."""
        wanted = [(name,) for name in names]
        return tuple(r for r in self.recipes if tuple(step.name for step in r.recipe.augmenter or ()) in wanted)


def _measured(recipe: Recipe, reports: Mapping[str, Reports]) -> MeasuredRecipe | None:
    if not isinstance(recipe.data, MedMnistData) or not reports:
        return None
    subset = recipe.data.subset
    model = f"ResNet-18 of width {recipe.model.width}" if isinstance(recipe.model, ResNet18) else recipe.model.name
    sets = "sets of Table 1" if subset in MEDICAL_SETS else "sets that are not in the paper"
    return MeasuredRecipe(recipe, subset, f"{model}, {recipe.train.epochs} epochs, {sets}", reports)


def is_saflex(method: MethodConfig) -> bool:
    """The paper's method in any form: not the ablation, not another paper's weights."""
    return isinstance(method, SaflexMethod) and method.preset not in _NO_SAFLEX and method.augmenter is None


def is_upstream(method: MethodConfig) -> bool:
    """The augmentation alone."""
    return isinstance(method, Upstream) and not method.clean_batch and method.augmenter is None


def is_soft_augmentation(method: MethodConfig) -> bool:
    """Soft-Augmentation's crop in the place of the recipe's augmentation."""
    steps = method.augmenter or () if isinstance(method, Upstream) else ()
    return any(isinstance(step, SoftCrop) for step in steps)


def is_lp_a3(method: MethodConfig) -> bool:
    """LP-A3 in our reading."""
    return isinstance(method, LpA3)


def is_no_augmentation(method: MethodConfig) -> bool:
    """Training data as they are."""
    return isinstance(method, NoAug)


def _accuracies(reports: Reports) -> dict[int, float]:
    return {seed: report.selected.test.accuracy for seed, report in reports.items() if report.selected}
