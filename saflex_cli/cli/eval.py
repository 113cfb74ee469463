"""`saflex eval`: a trained model class by class."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from saflex_cli.cli.catalogue import complete_recipe_or_checkpoint
from saflex_cli.cli.options import DataRoot, Device, DeviceOption, Out
from saflex_cli.errors import CheckpointError

EXAMPLES = """\b
Examples:
  saflex eval quickstart/digits --method saflex_proximal --seed 0
  saflex eval quickstart/digits --method no_aug --seed 0 --split val --json
  saflex eval runs/quickstart/digits/no_aug/seed-0/last.safetensors --predictions predictions.csv"""


class Split(StrEnum):
    """Which samples to evaluate."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


class State(StrEnum):
    """Which of the two states that a run keeps."""

    SELECTED = "selected"
    LAST = "last"


def run(
    target: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE|CHECKPOINT",
            help="A recipe (path or name), or a .safetensors file.",
            autocompletion=complete_recipe_or_checkpoint,
        ),
    ],
    method: Annotated[str | None, typer.Option(metavar="LABEL", help="The method; a recipe needs it.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The seed; a recipe needs it.")] = None,
    split: Annotated[Split, typer.Option(help="Which samples to evaluate.")] = Split.TEST,
    state: Annotated[
        State | None,
        typer.Option(help="Which epoch; without it, the selected one, or the last where none is selected."),
    ] = None,
    data_root: DataRoot = None,
    out: Out = None,
    device: DeviceOption = Device.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone.")] = False,
    predictions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every prediction to a CSV file.")
    ] = None,
) -> None:
    """Evaluate a trained model, class by class.

    Prints precision, recall and F1 of every class, and accuracy, AUROC and loss. Writes no report: what a table
    prints was evaluated once, when its run ended.
    """
    if target.endswith(".safetensors"):
        if method is not None or seed is not None or state is not None:
            raise typer.BadParameter("--method, --seed and --state choose a run of a recipe; a file is one run")
        path = Path(target)
    elif method is None or seed is None:
        raise typer.BadParameter("a recipe needs --method and --seed")
    else:
        path = _find_checkpoint(target, method, seed, state, out)

    from saflex_cli.cli.per_class import as_csv, print_json, show_evaluation
    from saflex_cli.experiment import evaluate_checkpoint
    from saflex_cli.store.files import write_text

    found = evaluate_checkpoint(path, split=split.value, data_root=data_root, device=device.value)
    if predictions is not None:
        write_text(predictions, as_csv(found))
    (print_json if as_json else show_evaluation)(found)


def _find_checkpoint(given: str, wanted: str, seed: int, state: State | None, out: Path | None) -> Path:
    from saflex_cli.cli.plan import landing, load_recipes, select_methods
    from saflex_cli.store.files import report_path

    [recipe] = load_recipes([given])
    methods = select_methods(recipe, [wanted])
    if len(methods) > 1:
        raise typer.BadParameter(f"--method {wanted}: choose one of {', '.join(m.label for m in methods)}")
    [method] = methods
    if state is None:
        state = State.LAST if "val" in method.train_on else State.SELECTED

    from saflex_cli.experiment import Places, checkpoint_path

    results, runs = landing(out, [])
    path = checkpoint_path(Places(results=results, runs=runs), recipe.name, method.label, seed, state.value)
    if not path.is_file():
        elsewhere = "runs/again" if report_path(results, recipe.name, method.label, seed).exists() else out
        place = f" --out {elsewhere}" if elsewhere else ""
        again = f"saflex train {given} --method {method.label} --seed {seed}{place}"
        then = f", then add{place} here" if elsewhere != out else ""
        raise CheckpointError(f"{path}: there is no such checkpoint; make it with: {again}{then}")
    return path
