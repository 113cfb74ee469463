"""An exhibit in words, as a table, and as a picture. Needs matplotlib."""

from saflex_cli.cli.console import grid, show
from saflex_cli.experiment.exhibit import Exhibit
from saflex_cli.experiment.neighbourhood import Group
from saflex_cli.figures.points import draw_points
from saflex_cli.figures.tiles import draw_tiles


def draw(exhibit: Exhibit) -> bytes:
    """A PNG of the drawn samples; its second line tells of all of them."""
    drawn = exhibit.drawn
    title = f"{exhibit.recipe} · {exhibit.method} · seed {exhibit.seed} · {exhibit.state} epoch {exhibit.epoch}"
    count = f"{len(drawn)} of {len(exhibit.samples)} augmented samples"
    if exhibit.plane is not None:
        return draw_points(drawn, exhibit.plane, title, f"{count}; of all: {summary(exhibit)}")
    return draw_tiles(drawn, title, f"{count} of one batch, lowest weight first; whole batch: {summary(exhibit)}")


def summary(exhibit: Exhibit) -> str:
    """Mean weight, and how many labels have another largest entry than upstream."""
    samples = exhibit.samples
    return f"mean weight {samples.weights.mean():.2f}, {100 * samples.changed.mean():.1f} % of the labels changed"


def describe(exhibit: Exhibit) -> str:
    """One line: the run, the epoch, and what became of the samples."""
    run = f"{exhibit.recipe} {exhibit.method} seed {exhibit.seed}"
    epoch = f"{exhibit.state} epoch {exhibit.epoch}"
    return f"{run}: {epoch}, {len(exhibit.samples)} augmented samples: {summary(exhibit)}"


def show_groups(exhibit: Exhibit) -> None:
    """A table of the groups, if there are any."""
    if not exhibit.groups:
        return
    table = grid("where samples fell", ">n", ">weight", ">changed %", ">follows %")
    for group in exhibit.groups:
        table.add_row(group.name, str(group.n), *_cells(group))
    show(table)


def _cells(group: Group) -> tuple[str, str, str]:
    if group.mean_weight is None or group.changed is None or group.follows is None:
        return "–", "–", "–"
    return f"{group.mean_weight:.3f}", f"{100 * group.changed:.1f}", f"{100 * group.follows:.1f}"
