"""A plan in words: how much is to do, and with which settings."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import typer

from saflex_cli.cli.console import grid, show
from saflex_cli.cli.plan import STATES, PlannedRun, State
from saflex_cli.config.schema import MethodConfig, SaflexMethod


def announce(plan: Sequence[PlannedRun], results: Path) -> None:
    """One line per recipe: how many runs, how many of them done or stale, and where the results go."""
    for name in dict.fromkeys(planned.recipe.name for planned in plan):
        states = [planned.state for planned in plan if planned.recipe.name == name]
        counts = [f"{states.count(state)} {word}" for state, word in _WORDS.items() if state in states]
        runs = "1 run" if len(states) == 1 else f"{len(states)} runs"
        typer.echo(f"{name}: {runs}, {', '.join(counts)}; results in {results}/")


def show_plan(plan: Sequence[PlannedRun]) -> None:
    """A table per recipe: the seeds of every method by state, and the settings that are not defaults."""
    for name in dict.fromkeys(planned.recipe.name for planned in plan):
        seeds: dict[str, dict[State, list[str]]] = defaultdict(lambda: defaultdict(list))
        methods: dict[str, MethodConfig] = {}
        for planned in plan:
            if planned.recipe.name == name:
                methods[planned.method.label] = planned.method
                seeds[planned.method.label][planned.state].append(str(planned.seed))
        table = grid(name, *(f"seeds {state}" for state in STATES), "settings")
        for label, method in methods.items():
            table.add_row(label, *(" ".join(seeds[label][state]) for state in STATES), settings(method))
        show(table)


def settings(method: MethodConfig) -> str:
    """What a method sets beside its name and label; for SAFLEX, the resolved fields that differ from the defaults."""
    fields = method.model_dump(mode="json", exclude={"label", "name", "settings"}, exclude_defaults=True)
    if isinstance(method, SaflexMethod):
        fields |= method.settings.model_dump(mode="json", exclude_defaults=True)
    return " ".join(f"{name}={_short(value)}" for name, value in fields.items())


_WORDS: dict[State, str] = {"done": "already done", "stale": "stale", "to do": "to do"}


def _short(value: object) -> str:
    if isinstance(value, list):
        return "+".join(map(_short, value))
    if isinstance(value, dict):
        fields = ", ".join(f"{name}={_short(item)}" for name, item in value.items() if name != "name")
        return f"{value['name']}({fields})"
    return str(value)
