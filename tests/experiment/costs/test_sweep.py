"""Every method is measured at every place of every axis."""

from saflex_cli.experiment.costs.sweep import METHODS, QUICK, measure_sweep


def test_every_place() -> None:
    places: list[str] = []
    measured = measure_sweep(QUICK, rounds=2, steps=1, on_place=places.append)
    assert places[0] == "batch: batch 8, 10 classes, width 256"
    assert len(places) == 6
    assert measured.methods == METHODS
    assert [value for value, _ in measured.curve("batch", "all")] == [8, 16]
    assert [value for value, _ in measured.curve("classes", "all")] == [2, 4]
    hidden = [64 * width + width + width * width + width + width * 10 + 10 for width in (8, 16)]
    assert [value for value, _ in measured.curve("parameters", "head")] == hidden
    assert all(len(point.seconds) == 2 for point in measured.points)
