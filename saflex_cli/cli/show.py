"""`saflex show`: augmented samples, with the weights and labels that a method gives them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saflex_cli.cli.catalogue import complete_recipe
from saflex_cli.cli.options import DataRoot, Device, DeviceOption, Out, Overrides, State
from saflex_cli.errors import SaflexError

if TYPE_CHECKING:
    from saflex_cli.experiment.exhibit import Exhibit

EXAMPLES = """\b
Examples:
  saflex show quickstart/digits --method saflex_proximal
  saflex show quickstart/digits --method saflex_paper --seed 1 --state last --samples 40 --to paper.png
  saflex show study/figure2b --method saflex_proximal"""


def run(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="Path or name of a recipe.", autocompletion=complete_recipe)
    ],
    method: Annotated[str, typer.Option(metavar="LABEL", help="The method; one with an upstream augmentation.")],
    seed: Annotated[int | None, typer.Option(min=0, help="The seed; without it, the recipe's first.")] = None,
    state: Annotated[
        State | None,
        typer.Option(help="Which epoch; without it, the selected one, or the last where none is selected."),
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="How many; of images, at most a batch.")] = 24,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png",
            help="Where to write; without it, runs/show/RECIPE/LABEL-seed-N.png.",
            show_default=False,
        ),
    ] = None,
    overrides: Overrides = None,
    data_root: DataRoot = None,
    out: Out = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Draw augmented training samples with upstream label, learned label and weight, lowest weight first.

    A trained model augments and refines a batch as in training, without training on it. The picture has its numbers
    beside it, in a CSV file of the same name. Points in the plane are drawn there, and counted by where they fell.
    """
    if to is not None and to.suffix.lower() != ".png":
        raise typer.BadParameter(f"--to {to}: a picture is a .png file")
    from saflex_cli.cli.checkpoints import choose_run

    chosen = choose_run(recipe, method, seed, out, overrides or [])
    _require_matplotlib()

    from saflex_cli.experiment.exhibit import exhibit, require_showable

    require_showable(chosen.method)
    shown = exhibit(chosen.checkpoint(state), count=samples, data_root=data_root, device=device.value)
    name = f"{chosen.method.label}-seed-{chosen.seed}.png"
    _write(shown, to or chosen.folders[1] / "show" / chosen.recipe.name / name)


def _require_matplotlib() -> None:
    try:
        import matplotlib as mpl  # noqa: F401 - is it there?
    except ImportError as error:
        raise SaflexError("drawing needs matplotlib; install it with: pip install 'saflex[figures]'") from error


def _write(shown: "Exhibit", path: Path) -> None:
    from saflex_cli.cli.exhibit_view import describe, draw, show_groups
    from saflex_cli.figures.samples import as_csv
    from saflex_cli.store.files import write_bytes, write_text

    write_bytes(path, draw(shown))
    table = path.with_suffix(".csv")
    write_text(table, as_csv(shown.drawn))
    typer.echo(describe(shown))
    show_groups(shown)
    typer.echo(f"Written: {path}, {table}")
