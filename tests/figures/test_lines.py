"""Methods along an axis: missing intervals, any number of panels and methods."""

import pytest

from saflex_cli.figures.lines import Line, Mark, Panel, draw_lines
from tests.figures.made_up import pixels

METHODS = ("no augmentation", "upstream", "SAFLEX proximal")


def panel(title: str, places: tuple[float, ...], methods: tuple[str, ...] = METHODS) -> Panel:
    lines = [
        Line(
            method,
            tuple(
                Mark(place, 80.0 - 3 * step - number, (79.0 - 3 * step - number, 81.0 - 3 * step - number))
                for step, place in enumerate(places)
            ),
        )
        for number, method in enumerate(methods)
    ]
    return Panel(title, "axis", "test accuracy (%)", tuple(lines))


def draw(*panels: Panel, methods: tuple[str, ...] = METHODS, opponents: tuple[str, ...] = METHODS[:1]) -> bytes:
    return draw_lines("title", panels, methods, opponents, "note")


@pytest.mark.parametrize("count", [1, 2, 4, 7])
@pytest.mark.parametrize("places", [(0.0, 0.2, 0.9), (3.0,)])
def test_panels_have_one_size(count: int, places: tuple[float, ...]) -> None:
    height, width, _ = pixels(draw(*(panel(f"panel {number}", places) for number in range(count)))).shape
    assert width == {1: 759, 2: 759, 4: 759, 7: 1122}[count]
    assert height == pytest.approx(110 * (2.75 * {1: 1, 2: 1, 4: 2, 7: 3}[count] + 0.86), abs=1)


def test_many_methods_and_opponents_stay_apart() -> None:
    methods = tuple(f"method {number}" for number in range(16))
    picture = draw(panel("all", (0.0, 1.0), methods), methods=methods, opponents=methods[:5])
    assert len({tuple(colour) for colour in pixels(picture).reshape(-1, 3)}) > 100


def test_equal_numbers_give_equal_bytes_and_every_part_is_seen() -> None:
    whole = panel("one", (0.0, 1.0))
    first, *others = whole.lines
    bare = Panel("one", "axis", whole.metric, (Line(first.method, (Mark(0.0, 80.0, None), *first.marks[1:])), *others))
    partial = Panel("one", "axis", whole.metric, (Line(first.method, first.marks[1:]), *others))
    pictures = [draw(whole), draw(bare), draw(partial), draw(whole, opponents=METHODS[:2])]
    assert len(set(pictures)) == 4
    assert draw(panel("one", (0.0, 1.0))) == pictures[0]


def test_even_distances_limits_and_panels_per_row() -> None:
    whole = panel("one", (0.0, 1.0, 60.0))
    even = Panel("one", "axis", whole.metric, whole.lines, even=True)
    limited = Panel("one", "axis", whole.metric, whole.lines, limits=(70.0, 75.0))
    assert len({draw(whole), draw(even), draw(limited)}) == 3
    regular = Panel("one", "axis", whole.metric, panel("one", (0.0, 1.0, 2.0)).lines)
    assert draw(regular) == draw(Panel("one", "axis", regular.metric, regular.lines, even=True))
    wide = draw_lines("title", (whole,) * 6, METHODS, METHODS[:1], "note", per_row=2)
    assert pixels(wide).shape[0] > pixels(draw(*(whole,) * 6)).shape[0]


def test_a_panel_without_results() -> None:
    assert pixels(draw(Panel("empty", "axis", "test accuracy (%)", ()))).std() > 0
