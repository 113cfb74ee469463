"""The checkpoint of one run of a recipe, or how to make it."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from saflex_cli.cli.options import State
from saflex_cli.cli.plan import landing, load_recipes, select_methods
from saflex_cli.config.schema import MethodConfig, Recipe
from saflex_cli.errors import CheckpointError


@dataclass(frozen=True)
class ChosenRun:
    """One run of a recipe, as a command line names it."""

    given: str
    """The recipe, in the user's words."""
    recipe: Recipe
    method: MethodConfig
    seed: int
    out: Path | None
    overrides: tuple[str, ...]

    @property
    def folders(self) -> tuple[Path, Path]:
        """Of results and of runs."""
        return landing(self.out, self.overrides)

    def checkpoint(self, state: State | None) -> Path:
        """Of this state; without one, the selected epoch, or the last where none is selected.

        Raises:
            CheckpointError: if there is none; says which command makes it, or that the method keeps none.
        """
        if not self.method.uses_network:
            raise CheckpointError(
                f"{self.method.label} keeps no checkpoint: scikit-learn fits it in seconds, and its report holds its "
                "metrics; choose another method"
            )
        from saflex_cli.experiment.places import Places, checkpoint_path

        if state is None:
            state = State.LAST if "val" in self.method.train_on else State.SELECTED
        results, runs = self.folders
        path = checkpoint_path(
            Places(results=results, runs=runs), self.recipe.name, self.method.label, self.seed, state.value
        )
        if not path.is_file():
            raise CheckpointError(f"{path}: there is no such checkpoint; make it with: {self._how_to_make_it()}")
        return path

    def _how_to_make_it(self) -> str:
        from saflex_cli.store.files import report_path

        results, _ = self.folders
        done = report_path(results, self.recipe.name, self.method.label, self.seed).exists()
        elsewhere = "runs/again" if done else self.out
        place = f" --out {elsewhere}" if elsewhere else ""
        changes = "".join(f" --set {shlex.quote(change)}" for change in self.overrides)
        again = f"saflex train {self.given} --method {self.method.label} --seed {self.seed}{changes}{place}"
        return again + (f", then add{place} here" if elsewhere != self.out else "")


def choose_run(given: str, wanted: str, seed: int | None, out: Path | None, overrides: Sequence[str] = ()) -> ChosenRun:
    """The run of one method with one seed; without a seed, the recipe's first.

    Raises:
        RecipeError: if there is no such recipe or method.
        typer.BadParameter: if the word selects several methods.
    """
    [recipe] = load_recipes([given], overrides)
    methods = select_methods(recipe, [wanted])
    if len(methods) > 1:
        raise typer.BadParameter(f"--method {wanted}: choose one of {', '.join(m.label for m in methods)}")
    return ChosenRun(given, recipe, methods[0], recipe.seeds[0] if seed is None else seed, out, tuple(overrides))
