"""The outer gradient between calls: used several times, or as a running mean (E10)."""

import weakref
from collections.abc import Callable
from dataclasses import replace

from torch import Tensor, nn

from saflex_cli.core.directional import OuterDirection
from saflex_cli.settings import Settings


class OuterMemory:
    """What SAFLEX remembers of the outer data: one instance per model."""

    settings: Settings

    def reset(self) -> None:
        """Forget the remembered outer gradient and their running mean."""
        self.running: dict[str, Tensor] = {}
        self.restart()

    def restart(self) -> None:
        """Forget the remembered outer gradient, not the running mean."""
        self._direction: OuterDirection | None = None
        self._model: weakref.ref[nn.Module] | None = None
        self._uses = self._outer_size = 0

    def is_due(self, model: nn.Module, outer: int, batch: int) -> bool:
        """Whether the next call computes the outer gradient anew; where not, it can do without the outer samples.

        Args:
            model: As for the call.
            outer: M.
            batch: B.
        """
        known = self._model is not None and self._model() is model
        return not known or self._uses >= self.settings.steps_per_outer_gradient(outer, batch)

    def _remembered(
        self, model: nn.Module, outer: int | None, batch: int, latest: Callable[[], OuterDirection]
    ) -> OuterDirection:
        """The outer gradient, used for some calls on the same model; `outer` is None without outer samples."""
        size = self._outer_size if outer is None else outer
        if self._direction is None or self.is_due(model, size, batch):
            self._direction = latest()
            if self.settings.outer_momentum:
                self._direction = self._averaged(self._direction)
            self._model, self._uses, self._outer_size = weakref.ref(model), 0, size
        self._uses += 1
        return self._direction

    def _averaged(self, latest: OuterDirection) -> OuterDirection:
        """The running mean of outer gradients with the latest in it; the first one counts in full."""
        kept = self.settings.outer_momentum
        self.running = {
            name: kept * self.running[name].to(tangent) + (1 - kept) * tangent if name in self.running else tangent
            for name, tangent in latest.tangents.items()
        }
        return replace(latest, tangents=self.running)
