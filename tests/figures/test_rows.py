"""Methods as rows: any number of panels, missing methods and intervals."""

import pytest

from saflex_cli.figures.rows import RowMark, RowPanel, draw_rows
from tests.figures.made_up import pixels

METHODS = ("no augmentation", "upstream", "SAFLEX proximal")
MARKS = {method: RowMark(80.0 + number, (78.0 + number, 82.0 + number)) for number, method in enumerate(METHODS)}


def panel(**marks: RowMark) -> RowPanel:
    return RowPanel("Digits", "rotation", "test accuracy (%)", MARKS | marks)


def draw(*panels: RowPanel, opponents: tuple[str, ...] = METHODS[:1]) -> bytes:
    return draw_rows("title", panels, METHODS, opponents, "note")


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (4, 1), (5, 2)])
def test_panels_wrap(count: int, rows: int) -> None:
    height, width, _ = pixels(draw(*[panel()] * count)).shape
    assert height == pytest.approx(110 * (0.5 + rows * (3 * 0.165 + 1.15)), abs=1)
    assert width >= 110 * 6.9 - 1


def test_every_part_is_seen() -> None:
    whole = panel()
    pictures = [
        draw(whole),
        draw(panel(upstream=RowMark(81.0, None))),
        draw(panel(upstream=RowMark(70.0, (69.0, 71.0)))),
        draw(whole, opponents=METHODS[:2]),
        draw(RowPanel("Digits", "rotation", "test accuracy (%)", {METHODS[1]: MARKS[METHODS[1]]})),
        draw(RowPanel("Digits", "rotation", "test accuracy (%)", {})),
    ]
    assert len(set(pictures)) == len(pictures)
    assert draw(panel()) == pictures[0]
