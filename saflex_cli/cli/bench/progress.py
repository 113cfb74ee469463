"""What a benchmark says on the way, and where it was made."""

from collections.abc import Callable

from saflex_cli.cli.console import complain
from saflex_cli.store.report import Environment


def rounds_of(total: int) -> Callable[[int], None]:
    """Says which round has ended."""

    def tell(number: int) -> None:
        complain(f"round {number} of {total}", label="")

    return tell


def where_of(machine: Environment) -> str:
    """Device, threads and version in a few words."""
    return f"{machine.device}, {machine.threads} threads, torch {machine.torch}"
