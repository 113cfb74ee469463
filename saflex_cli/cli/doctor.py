"""`saflex doctor`: what this installation has."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import typer

from saflex_cli import __version__
from saflex_cli.cli.options import DataRoot
from saflex_cli.errors import SaflexError

EXAMPLES = """\b
Examples:
  saflex doctor
  saflex doctor --data-root ~/data"""

PACKAGES = ("torch", "torchvision", "numpy", "scipy", "scikit-learn", "safetensors", "pydantic", "timm")


def run(data_root: DataRoot = None) -> None:
    """Show versions, device, threads, and the data sets found."""
    _line("saflex", __version__)
    _line("python", platform.python_version())
    for package in PACKAGES:
        _line(package, _version(package))
    typer.echo()
    _show_torch()
    typer.echo()
    _show_data(data_root)


def _show_torch() -> None:
    try:
        import torch
        import torchvision  # noqa: F401 - fails where its version does not fit torch's
    except (ImportError, OSError, RuntimeError) as error:
        raise SaflexError(
            f"torch and torchvision do not load ({error}); install both together, in one command: "
            "pip install --force-reinstall torch torchvision"
        ) from error
    found = torch.cuda.is_available()
    _line("device", f"cuda ({torch.cuda.get_device_name(0)})" if found else "cpu (torch finds no CUDA device)")
    _line("cores", str(os.cpu_count()))
    _line("threads", f"{torch.get_num_threads()} per run (--jobs divides the cores)")


def _show_data(option: Path | None) -> None:
    from saflex_cli.data.root import data_root, data_sets

    root = data_root(option)
    _line("data root", f"{root}{'' if root.is_dir() else ' (does not exist)'}")
    for name, state in data_sets(root):
        _line(name, state)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _line(name: str, value: str) -> None:
    typer.echo(f"{name:<16}{value}")
