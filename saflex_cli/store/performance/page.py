"""`docs/performance.md`: its tables, and the text around them as it is."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from saflex_cli.errors import ResultsError
from saflex_cli.store.performance.costs import Costs
from saflex_cli.store.performance.epoch import BASELINE as UPSTREAM
from saflex_cli.store.performance.goals import GOALS, Goal
from saflex_cli.store.performance.overhead import CLEAN, Overhead
from saflex_cli.store.performance.sweep import AXES

COMMAND = "saflex bench page --write"
NOTHING = "Not measured yet."
_BLOCK = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
_FREE = "clean_pass"


def tables(costs: Costs) -> dict[str, str]:
    """The tables of the page by name, as Markdown."""
    made = {
        "goals": _goals(costs),
        "overhead": _overheads(costs),
        "memory": _memory(costs),
        "epochs": _epochs(costs),
        "runs": _runs(costs),
        "peers": _peers(costs),
        "slopes": _slopes(costs),
        "machines": _machines(costs),
    }
    return {name: text or NOTHING for name, text in made.items()}


def fill(page: str, made: dict[str, str], path: Path) -> str:
    """The page with these tables between its markers.

    Raises:
        ResultsError: if the page has no place for a table, or a place for one that there is not.
    """
    places = [match[2] for match in _BLOCK.finditer(page)]
    if missing := [name for name in made if name not in places]:
        raise ResultsError(f"{path}: has no place for the table {missing[0]}; add <!-- table: {missing[0]} -->")
    if unknown := [name for name in places if name not in made]:
        raise ResultsError(f"{path}: there is no table {unknown[0]}; there are: {', '.join(made)}")
    return _BLOCK.sub(lambda match: f"{match[1]}{made[match[2]]}\n{match[3]}", page)


def _goals(costs: Costs) -> str:
    return _table(("case", "where", ">goal", ">measured", ">range", "verdict"), [_goal(goal, costs) for goal in GOALS])


def _goal(goal: Goal, costs: Costs) -> Sequence[str]:
    ratios, verdict = goal.ratios(costs), goal.judge(costs)
    limit = f"{'≥' if goal.at_least else '≤'} {goal.limit:.2f}"
    measured = _middle_and_range(ratios) if ratios else ("–", "–")
    return (goal.case, goal.where, limit, *measured, f"**{verdict}**" if verdict == "missed" else verdict)


def _middle_and_range(ratios: Sequence[float]) -> tuple[str, str]:
    return f"{median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}" if len(ratios) > 1 else "–"


def _overheads(costs: Costs) -> str:
    """One column per recipe; median and range of the ratio to the upstream."""
    rows = [
        (f"`{name}`", *(_cell(one.ratios(name)) for one in costs.overheads.values()))
        for name in _variants(costs.overheads.values())
    ]
    free = [_cell(one.ratios(_FREE, CLEAN)) for one in costs.overheads.values()]
    if any(cell != "–" for cell in free):
        rows.append((f"`{_FREE}` over `{CLEAN}`", *free))
    lost = [
        f"`{name}` is left out in `{recipe}`: {reason}."
        for recipe, one in costs.overheads.items()
        for name, reason in one.left_out.items()
    ]
    text = _table(("variant", *(f">`{recipe}`" for recipe in costs.overheads)), rows)
    return "\n\n".join([text, *lost]) if rows else ""


def _variants(overheads: Iterable[Overhead]) -> list[str]:
    return list(dict.fromkeys(variant.name for one in overheads for variant in one.variants))


def _cell(ratios: list[float]) -> str:
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})" if ratios else "–"


def _memory(costs: Costs) -> str:
    measured = {recipe: one for recipe, one in costs.overheads.items() if one.memory_of is not None}
    rows = []
    for name in _variants(measured.values()):
        cells = []
        for one in measured.values():
            ratio, grown = one.memory_ratio(name), one.grown(name)
            cells.append("–" if ratio is None or grown is None else f"{ratio:.3f} ({grown / 2**20:.0f} MiB)")
        rows.append((f"`{name}`", *cells))
    return _table(("variant", *(f">`{recipe}`" for recipe in measured)), rows) if rows else ""


def _epochs(costs: Costs) -> str:
    rows = []
    for recipe, one in costs.epochs.items():
        for cost in (cost for cost in one.costs if cost.method != UPSTREAM):
            middle, low, high = one.summary(cost.method)
            stated = "–" if one.published is None else f"{one.published:+d} %"
            rows.append((f"`{recipe}`", f"`{cost.method}`", f"{middle:+.0f} %", f"{low:+.0f} to {high:+.0f} %", stated))
    return _table(("recipe", "method", ">overhead", ">range", ">published"), rows) if rows else ""


def _runs(costs: Costs) -> str:
    runs = {recipe: one.run for recipe, one in costs.epochs.items() if one.run is not None}
    rows = [
        (f"`{recipe}`", str(run.epochs), f"{median(run.by_hand):.2f} s", *_middle_and_range(run.ratios()))
        for recipe, run in runs.items()
    ]
    return _table(("recipe", ">epochs", ">by hand", ">ratio", ">range"), rows) if rows else ""


def _peers(costs: Costs) -> str:
    if costs.peers is None:
        return ""
    measured = costs.peers
    rows = [
        (
            f"`{cost.name}`",
            f"{measured.milliseconds(cost.name):.0f} ms",
            *(_cell(measured.ratios(cost.name, other)) for other in ("upstream", "head", "all")),
        )
        for cost in measured.costs
    ]
    versions = ", ".join(f"{name} {version}" for name, version in measured.versions.items())
    failed = [f"`{name}` does not run here: {reason}." for name, reason in measured.failed.items()]
    text = _table(("step", ">time", ">upstream = 1", ">head = 1", ">all = 1"), rows)
    return "\n\n".join(
        [text, f"Batch {measured.batch_size}, outer batch {measured.outer_batch_size}; {versions}.", *failed]
    )


def _slopes(costs: Costs) -> str:
    if costs.sweep is None:
        return ""
    sweep = costs.sweep
    rows = [(f"`{method}`", *(f"{sweep.slope(axis, method):.2f}" for axis in AXES)) for method in sweep.methods]
    return _table(("method", *(f">{axis}" for axis in AXES)), rows)


def _machines(costs: Costs) -> str:
    rows = []
    for name, machine in costs.machines().items():
        commit = (machine.git_commit or "unknown")[:10] + (" and changes" if machine.git_dirty else "")
        rows.append(
            (name, machine.device, machine.processor or "–", str(machine.threads), machine.torch, f"`{commit}`")
        )
    return _table(("measured", "device", "processor", ">threads", ">torch", "commit"), rows) if rows else ""


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a header that starts with `>` makes a column of numbers."""
    lines = [
        tuple(header.removeprefix(">") for header in headers),
        tuple("--:" if header.startswith(">") else "---" for header in headers),
        *rows,
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
