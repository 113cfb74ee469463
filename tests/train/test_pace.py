"""Writing takes at most its share of the time."""

from saflex_cli.train.pace import SHARE, Pace


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_is_due_at_once_and_the_next_when_the_share_allows() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.is_due
    with pace.written():
        clock.now += 1.0
    clock.now += 1.0 / SHARE - 0.01
    assert not pace.is_due
    clock.now += 0.02
    assert pace.is_due


def test_a_long_run_spends_its_share_on_writing() -> None:
    clock = Clock()
    pace = Pace(clock)
    written = 0.0
    for _ in range(5000):
        clock.now += 0.1
        if pace.is_due:
            with pace.written():
                clock.now += 0.03
                written += 0.03
    assert 0.5 * SHARE < written / clock.now <= SHARE
