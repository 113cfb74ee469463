"""The stacked networks with the dropout that every seed would meet alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from saflex_cli.models.mlp_stack import Layer, MlpStack, StackedPass
from saflex_cli.seeding import Streams

_SEEDS_OF_PASSES = 2**62
"""As in `saflex_cli.core.passes.separate_rng`."""


@dataclass
class Network:
    """Training passes of all seeds.

    A run alone seeds torch's global generator with its stream `model` at the beginning of every epoch, and dropout
    draws from it, layer by layer and pass by pass. Here every seed has a generator of its own in that state. On the CPU
    the masks are therefore the same; on CUDA, where dropout draws in another way, they are others of the same kind.
    """

    stack: MlpStack
    dropout: float
    streams: Sequence[Streams]

    def begin_epoch(self, epoch: int) -> None:
        """Set all random streams to the epoch's beginning."""
        device = next(iter(self.stack.parameters.values())).device
        self._generators = [
            torch.Generator(device).manual_seed(streams.number("model", epoch)) for streams in self.streams
        ]

    def training_pass(self, samples: Tensor) -> StackedPass:
        """The pass of a training step."""
        return self.stack.forward(samples, self._noise(samples, self._generators))

    def outer_pass(self, samples: Tensor) -> StackedPass:
        """A pass in training mode that leaves the streams as they are, with noise of its own (`separate_rng`)."""
        return self.stack.forward(samples, self._noise(samples, [_aside(own) for own in self._generators]))

    def _noise(self, samples: Tensor, generators: Sequence[torch.Generator]) -> list[Layer] | None:
        if not self.dropout:
            return None
        kept, layers = 1 - self.dropout, []
        like = next(iter(self.stack.parameters.values()))
        for width in self.stack.widths:
            noise = torch.empty(*samples.shape[:2], width, dtype=like.dtype, device=like.device)
            for own, generator in zip(noise, generators, strict=True):
                own.bernoulli_(kept, generator=generator)
            layers.append(noise.div_(kept))
        return layers


def _aside(generator: torch.Generator) -> torch.Generator:
    """A generator whose seed is what the given one would draw next; that one stays as it is."""
    copy = torch.Generator(generator.device)
    copy.set_state(generator.get_state())
    seed = torch.randint(_SEEDS_OF_PASSES, (), generator=copy, device=generator.device)
    return copy.manual_seed(int(seed))
