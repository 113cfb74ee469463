"""LP-A3, a peer: the clean batch, and label-preserving perturbations of its most consistent samples.

Yang et al., NeurIPS 2022. `docs/peers.md` lists what is published and what is our choice.
"""

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from saflex_cli.augment.intensity import as_float
from saflex_cli.core.passes import copied_buffers, precise, preserved_rng, traceless_forward
from saflex_cli.models.features import captured_outputs, feature_layers
from saflex_cli.seeding import Streams
from saflex_cli.train.consistency import Consistency, most_consistent
from saflex_cli.train.perturbation import Probe, Search, Seen, perturb
from saflex_cli.train.step import State, StepResult


class LpA3Step:
    """Mean of the cross-entropy on the clean batch and on its perturbed part (`lp_a3`).

    The perturbed samples have BatchNorm statistics of their own; the model's own see clean samples alone.
    """

    def __init__(
        self, model: nn.Module, search: Search, memory: Consistency, *, ratio: float, streams: Streams
    ) -> None:
        self.model, self.search, self.memory, self.ratio, self.streams = model, search, memory, ratio, streams
        self.layers = feature_layers(model)
        self.buffers = copied_buffers(model)
        self.memory.to(next(model.parameters()).device)
        self.begin_epoch(0)

    def begin_epoch(self, epoch: int) -> None:
        """Set the noise to the epoch's beginning; the first epoch knows no changes, and perturbs every sample."""
        self.noise = self.streams.generator("lp_a3", epoch)
        self.share = self.ratio if epoch > 0 else 1.0

    def __call__(self, inputs: Tensor, labels: Int[Tensor, " batch"], indices: Int[Tensor, " batch"]) -> StepResult:
        """The loss of one batch; the clean loss alone where fewer than two samples are to be perturbed."""
        logits = self.model(inputs)
        clean = functional.cross_entropy(logits, labels)
        averages = self.memory.update(indices, precise(logits.detach()).log_softmax(1), labels)
        kept = most_consistent(averages, self.share)
        if len(kept) < 2:
            return StepResult(clean)
        images = perturb(as_float(inputs[kept]), self._probe(labels[kept]), self.search, self.noise)
        perturbed = functional.cross_entropy(functional_call(self.model, self.buffers, (images,)), labels[kept])
        return StepResult((clean + perturbed) / 2)

    def _probe(self, labels: Int[Tensor, " batch"]) -> Probe:
        """The model as it trains, with the dropout masks of the training pass to come, and without a trace."""

        def probe(images: Tensor) -> Seen:
            with preserved_rng(self.model), captured_outputs(self.layers) as features:
                logits = traceless_forward(self.model, images)
            log_probs = precise(logits).log_softmax(1)
            return Seen(log_probs.gather(1, labels[:, None]).squeeze(1), [precise(layer) for layer in features])

        return probe

    def state(self) -> State:
        """The memory of past predictions, and the statistics of the perturbed samples."""
        return self.memory.state() | {f"buffers.{name}": tensor for name, tensor in self.buffers.items()}

    def restore(self, state: State) -> None:
        """Put back what `state` gave.

        Raises:
            KeyError: if something is missing.
            RuntimeError: if something has another shape.
        """
        with torch.no_grad():
            for name, tensor in self.state().items():
                tensor.copy_(state[name])
