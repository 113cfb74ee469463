"""What each method does with one batch: from clean samples to a loss."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, assert_never

from jaxtyping import Int
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from saflex_cli.augment.batch import AugmentedBatch, Upstream
from saflex_cli.config.references import Reference
from saflex_cli.config.schema import LpA3, MethodConfig, NoAug, SaflexMethod
from saflex_cli.config.schema import Upstream as UpstreamMethod
from saflex_cli.core import RecordedPass, Refined, Saflex, recorded_pass, soft_cross_entropy
from saflex_cli.core.sections import section
from saflex_cli.data.splits import Split, Splits
from saflex_cli.errors import RecipeError
from saflex_cli.seeding import Streams
from saflex_cli.settings import at_epoch
from saflex_cli.train.consistency import Consistency
from saflex_cli.train.lp_a3 import LpA3Step
from saflex_cli.train.outer import OuterSource, outer_source
from saflex_cli.train.perturbation import Search
from saflex_cli.train.step import State, Stateless, Step, StepResult
from saflex_cli.train.true_labels import label_sums

Augment = Callable[[Tensor, Int[Tensor, " batch"]], AugmentedBatch]


class PlainStep(Stateless):
    """Cross-entropy on the clean batch (`no_aug`)."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def begin_epoch(self, epoch: int) -> None:
        """Nothing is drawn at random."""

    def __call__(self, inputs: Tensor, labels: Int[Tensor, " batch"], _indices: Int[Tensor, " batch"]) -> StepResult:
        """The loss of one batch."""
        return StepResult(functional.cross_entropy(self.model(inputs), labels))


class UpstreamStep(Stateless):
    """Cross-entropy on the augmented batch, with the upstream's labels and weights (`upstream`)."""

    def __init__(
        self, model: nn.Module, upstream: Upstream, streams: Streams, normalise: Literal["sum", "batch"]
    ) -> None:
        self.model, self.upstream, self.streams, self.normalise = model, upstream, streams, normalise
        self.begin_epoch(0)

    def begin_epoch(self, epoch: int) -> None:
        """Set the augmentation's random streams to the epoch's beginning."""
        self.augment: Augment = self.upstream.epoch(self.streams, epoch)

    def __call__(self, inputs: Tensor, labels: Int[Tensor, " batch"], _indices: Int[Tensor, " batch"]) -> StepResult:
        """The loss of one batch."""
        batch = self.augment(inputs, labels)
        logits = self.model(batch.inputs)
        return StepResult(soft_cross_entropy(logits, batch.soft_labels, batch.sample_weights, normalise=self.normalise))


class SaflexStep:
    """Cross-entropy on the augmented batch with learned labels and weights (`saflex`)."""

    def __init__(
        self,
        saflex: Saflex,
        model: nn.Module,
        upstream: Upstream,
        outer: OuterSource,
        streams: Streams,
        optimizer: Optimizer,
        epochs: int,
    ) -> None:
        self.saflex, self.model, self.upstream, self.outer = saflex, model, upstream, outer
        self.streams, self.optimizer, self.epochs, self.settings = streams, optimizer, epochs, saflex.settings
        self.begin_epoch(0)

    def state(self) -> State:
        """The running mean of outer gradients, where there is one."""
        return self.saflex.running

    def restore(self, state: State) -> None:
        """Put it back."""
        self.saflex.running = dict(state)

    def begin_epoch(self, epoch: int) -> None:
        """Set all random streams to the epoch's beginning; forget the outer gradient, as a resumed run must."""
        self.saflex.settings = at_epoch(self.settings, epoch, self.epochs)
        self.augment: Augment = self.upstream.epoch(self.streams, epoch)
        self.gumbel = self.streams.generator("gumbel", epoch)
        self.outer.begin_epoch(epoch)
        self.saflex.restart()

    def __call__(self, inputs: Tensor, labels: Int[Tensor, " batch"], _indices: Int[Tensor, " batch"]) -> StepResult:
        """The loss of one batch."""
        if not self.saflex.settings.needs_outer:
            return self.refined(inputs, labels)
        with section("outer"):
            chosen = self.outer.choose(Split(inputs, labels))
            outer = chosen.rows() if self.saflex.is_due(self.model, len(chosen), len(labels)) else None
        if outer is None:
            return self.refined(inputs, labels)
        return self.refined(inputs, labels, outer_inputs=outer.inputs, outer_labels=outer.labels)

    def refined(
        self,
        inputs: Tensor,
        labels: Int[Tensor, " batch"],
        *,
        outer_labels: Tensor | None = None,
        outer_inputs: Tensor | None = None,
        outer_pass: RecordedPass | None = None,
    ) -> StepResult:
        """The same, given the outer samples as `Saflex` takes them."""
        batch = self.augment(inputs, labels)
        refined = self.saflex(
            model=self.model,
            inputs=batch.inputs,
            upstream_labels=batch.soft_labels,
            upstream_weights=batch.sample_weights,
            outer_inputs=outer_inputs,
            outer_labels=outer_labels,
            outer_pass=outer_pass,
            generator=self.gumbel,
            optimizer=self.optimizer,
        )
        return StepResult(
            loss=refined.loss(),
            weight_sum=refined.sample_weights.sum(),
            changed_labels=refined.label_changed.sum(),
            dropped=refined.dropped.long(),
            label_sums=self._label_sums(batch, refined),
        )

    def _label_sums(self, batch: AugmentedBatch, refined: Refined) -> Tensor | None:
        if batch.true_labels is None or not self.upstream.noisy:
            return None
        return label_sums(batch.true_labels, refined.upstream_labels, refined.soft_labels, refined.sample_weights)


class WithCleanBatch:
    """The mean of a method's loss and of the loss on the clean batch, at equal weight (E8)."""

    def __init__(self, step: UpstreamStep | SaflexStep, model: nn.Module) -> None:
        self.step, self.model = step, model

    def begin_epoch(self, epoch: int) -> None:
        """As the method's own."""
        self.step.begin_epoch(epoch)

    def state(self) -> State:
        """The method's own."""
        return self.step.state()

    def restore(self, state: State) -> None:
        """As the method's own."""
        self.step.restore(state)

    def __call__(self, inputs: Tensor, labels: Int[Tensor, " batch"], indices: Int[Tensor, " batch"]) -> StepResult:
        """The loss of one batch."""
        result = self.step(inputs, labels, indices)
        clean = functional.cross_entropy(self.model(inputs), labels)
        return replace(result, loss=(result.loss + clean) / 2)


class WithCleanPass(WithCleanBatch):
    """The same, with the clean batch's own training pass as that of the outer samples (`outer: clean_pass`).

    The clean batch goes first: running statistics and dropout advance with its pass, then with that of the augmented
    batch, once each.
    """

    def __init__(self, step: SaflexStep, model: nn.Module) -> None:
        super().__init__(step, model)
        self.refined = step.refined

    def __call__(self, inputs: Tensor, labels: Int[Tensor, " batch"], _indices: Int[Tensor, " batch"]) -> StepResult:
        """The loss of one batch."""
        passed = recorded_pass(self.model, inputs)
        result = self.refined(inputs, labels, outer_labels=labels, outer_pass=passed)
        clean = functional.cross_entropy(passed.logits, labels)
        return replace(result, loss=(result.loss + clean) / 2)


def build_step(
    method: MethodConfig,
    *,
    model: nn.Module,
    splits: Splits,
    upstream: Upstream | None,
    batch_size: int,
    epochs: int,
    streams: Streams,
    optimizer: Optimizer,
) -> Step:
    """The step of a method.

    Raises:
        RecipeError: if the method needs an upstream augmentation and there is none, or is fitted without steps.
        DataError: if an explicit outer batch is larger than its set.
    """
    if isinstance(method, Reference):
        raise RecipeError(f"method {method.label} is fitted as a whole, not in steps; leave it out")
    if isinstance(method, NoAug):
        return PlainStep(model)
    if isinstance(method, LpA3):
        search = Search(bound=method.bound, lam=method.lam, iterations=method.iterations)
        memory = Consistency(len(train_split(method, splits)), splits.classes, newest=method.newest)
        return LpA3Step(model, search, memory, ratio=method.ratio, streams=streams)
    if upstream is None:
        raise RecipeError(f"method {method.label} needs an augmentation; add `augmenter` to the recipe")
    step: UpstreamStep | SaflexStep
    match method:
        case UpstreamMethod():
            step = UpstreamStep(model, upstream, streams, method.normalise)
        case SaflexMethod():
            saflex = Saflex(preset=method.preset, **method.settings.model_dump())
            outer = outer_source(method, splits, batch_size, streams)
            step = SaflexStep(saflex, model, upstream, outer, streams, optimizer, epochs)
            if method.outer == "clean_pass":
                return WithCleanPass(step, model)
        case _:
            assert_never(method)
    return WithCleanBatch(step, model) if method.clean_batch else step


def train_split(method: MethodConfig, splits: Splits) -> Split:
    """The samples that a method trains on."""
    return splits.of(method.train_on)
