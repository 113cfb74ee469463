"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Device(StrEnum):
    """Where to compute."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class State(StrEnum):
    """Which of the two states that a run keeps."""

    SELECTED = "selected"
    LAST = "last"


DataRoot = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Folder of the data sets; without it, $SAFLEX_DATA or ./data.", show_default=False
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Folder of results, with checkpoints in DIR/runs; without it, results/ and runs/."
    ),
]
DeviceOption = Annotated[Device, typer.Option(help="Where to compute; auto takes CUDA if there is one.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PATH=VALUE", help="Change a field of the recipe, such as train.epochs=1; repeatable."
    ),
]
