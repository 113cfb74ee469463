"""Named parts of a training step, for whoever measures where the time goes; without one they cost nothing."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

Observer = Callable[[str], AbstractContextManager[object]]
"""Given the name of a section, what surrounds it; such as `torch.profiler.record_function`."""

_NOTHING: AbstractContextManager[object] = nullcontext()
_observers: list[Observer] = []


def section(name: str) -> AbstractContextManager[object]:
    """What surrounds a part of a step: nothing, unless somebody observes."""
    return _observers[-1](name) if _observers else _NOTHING


@contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """Every section inside is surrounded by what the observer makes of its name."""
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.pop()
