"""How often a checkpoint is written."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SHARE = 0.05
"""Of the time, at most, that goes into writing. A checkpoint is forced to the disk: with a small network or large
embeddings that takes longer than the epoch before it."""


class Pace:
    """Something is due at once, and then whenever its last writing is `SHARE` or less of the time since."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._next = clock()

    @property
    def is_due(self) -> bool:
        """Whether it is time to write."""
        return self._clock() >= self._next

    @contextmanager
    def written(self) -> Iterator[None]:
        """Surrounds the writing, which sets when the next is due."""
        started = self._clock()
        yield
        self._next = self._clock() + (self._clock() - started) / SHARE
