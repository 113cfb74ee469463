"""The command `saflex`: its subcommands, and how errors become exit codes.

0: fine. 1: a problem, named in one message. 2: wrong usage. 130: Ctrl-C.
"""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from saflex_cli import __version__
from saflex_cli.cli import claims, data, doctor, eval, probe, recipes, show, study, table, train  # noqa: A004 - the command is called eval
from saflex_cli.cli.bench.group import app as bench
from saflex_cli.errors import SaflexError

RUNNING = ("train", "study", "probe")
"""Commands that keep what is finished and go on when they are called again."""


class Commands(TyperGroup):
    """Shows an error that a user can mend as one message."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's context class depends on its version
        """Run a command."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # so that a broken pipe shows here, where typer keeps it quiet
        except SaflexError as error:
            from saflex_cli.cli.console import complain, explain

            complain(explain(error))
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            from saflex_cli.cli.console import complain

            kept = "; finished runs are kept, run the same command again to go on"
            complain(f"interrupted{kept if ctx.invoked_subcommand in RUNNING else ''}", label="")
            raise typer.Exit(130) from error
        return result


app = typer.Typer(cls=Commands, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
for command in (train, eval, show, table, study, probe, claims, recipes, data, doctor):
    name = command.__name__.rpartition(".")[2]
    app.command(name, epilog=command.EXAMPLES)(command.run)
app.add_typer(bench, name="bench")


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"saflex {__version__}")
        raise typer.Exit
    return wanted


@app.callback(
    epilog="""\b
Examples:
  saflex train quickstart/digits
  saflex table quickstart/digits
  saflex doctor"""
)
def saflex(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Sample weights and soft labels for the output of any data augmentation: run comparisons, read their tables."""


def main() -> None:
    """Entry point."""
    try:
        app(prog_name="saflex")
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback for a user
        from saflex_cli.cli.console import complain, explain

        complain(explain(error))
        sys.exit(1)
