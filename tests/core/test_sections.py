"""Sections are nothing until somebody observes."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from saflex_cli.core.sections import observed, section


def test_nothing_is_made_without_an_observer() -> None:
    assert isinstance(section("outer"), nullcontext)
    assert section("outer") is section("solve")


def test_the_last_observer_sees_every_section() -> None:
    seen: list[str] = []

    @contextmanager
    def watch(name: str) -> Iterator[None]:
        seen.append(f"{name} begins")
        yield
        seen.append(f"{name} ends")

    with observed(lambda name: nullcontext(seen.append(name))), observed(watch), section("outer"):
        seen.append("inside")
    with section("solve"):
        pass
    assert seen == ["outer begins", "inside", "outer ends"]
