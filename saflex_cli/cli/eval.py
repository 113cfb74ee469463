"""`saflex eval`: a trained model class by class."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from saflex_cli.cli.catalogue import complete_recipe_or_checkpoint
from saflex_cli.cli.options import DataRoot, Device, DeviceOption, Out, State

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
        from saflex_cli.cli.checkpoints import choose_run

        path = choose_run(target, method, seed, out).checkpoint(state)

    from saflex_cli.cli.per_class import as_csv, print_json, show_evaluation
    from saflex_cli.experiment import evaluate_checkpoint
    from saflex_cli.store.files import write_text

    found = evaluate_checkpoint(path, split=split.value, data_root=data_root, device=device.value)
    if predictions is not None:
        write_text(predictions, as_csv(found))
    (print_json if as_json else show_evaluation)(found)
