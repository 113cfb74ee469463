"""Log-log growth: equal numbers give equal bytes, other slopes another picture."""

from saflex_cli.figures.growth import Growth, GrowthPanel, draw_growth
from tests.figures.made_up import pixels


def panel(axis: str, slope: float) -> GrowthPanel:
    points = tuple((10.0**step, 10.0 ** (slope * step)) for step in range(4))
    return GrowthPanel(axis, (Growth("upstream", points, slope), Growth("head", points, slope + 0.1)))


def test_one_panel_per_axis() -> None:
    pictures = [
        draw_growth("title", "note", (panel("batch", slope), panel("classes", 1.0)), "ms") for slope in (1.0, 2.0)
    ]
    assert pictures[0] != pictures[1]
    assert draw_growth("title", "note", (panel("batch", 1.0), panel("classes", 1.0)), "ms") == pictures[0]
    height, width, _ = pixels(pictures[0]).shape
    assert (height, width) == (352, 748)
