"""`saflex bench`: its sub-commands."""

from typing import Any

import typer
from typer.core import TyperGroup

from saflex_cli.cli.bench import epoch, methods, overhead, page, profile, sweep, together

EXAMPLES = """\b
Examples:
  saflex bench methods quickstart/digits
  saflex bench overhead tabular/qsar-mlp --memory
  saflex bench together tabular/qsar-mlp --seeds 10 --write"""


class Benchmarks(TyperGroup):
    """Says what to write where a recipe stands in the place of a sub-command."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - typer's classes depend on its version
        """The sub-command of this name."""
        found = super().get_command(ctx, cmd_name)
        if found is None and not cmd_name.startswith("-"):
            known = ", ".join(self.list_commands(ctx))
            raise typer.BadParameter(
                f"no benchmark {cmd_name!r}; there are: {known}. Costs of its methods: saflex bench methods RECIPE"
            )
        return found


app = typer.Typer(
    cls=Benchmarks,
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=EXAMPLES,
    help="Measure costs: of steps and epochs, of SAFLEX itself, against peers; and where the time goes.",
)
for command in (methods, overhead, epoch, profile, sweep, together, page):
    name = command.__name__.rpartition(".")[2]
    app.command(name, epilog=command.EXAMPLES)(command.run)
