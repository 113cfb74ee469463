"""SAFLEX as one call inside anybody's training loop."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypedDict

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.optim import Optimizer

from saflex_cli.core.alignment import Alignment, align, outer_direction, unaligned
from saflex_cli.core.directional import OuterDirection
from saflex_cli.core.losses import Labels, OuterLabels, soft_cross_entropy, soft_labels, within
from saflex_cli.core.outer_memory import OuterMemory
from saflex_cli.core.outer_samples import HeadFeatures
from saflex_cli.core.passes import Inputs
from saflex_cli.core.precondition import preconditioned
from saflex_cli.core.recorded import RecordedPass, recorded_direction
from saflex_cli.core.sections import section
from saflex_cli.core.solution import solve_labels, solve_weights
from saflex_cli.errors import SaflexValueError
from saflex_cli.settings import DEFAULT, Settings, preset_settings


class _HeadChoices(TypedDict):
    """What `outer_direction` and `recorded_direction` both take."""

    reduction: Literal["mean", "sum"]
    balance: bool
    features: HeadFeatures
    steps: int


@dataclass(frozen=True)
class Refined:
    """A batch with learned weights and labels (Eq. 1, right-hand side)."""

    sample_weights: Float[Tensor, " batch"]
    """In [0, 1], before normalisation; detached."""
    soft_labels: Float[Tensor, "batch classes"]
    """Rows of probabilities; detached."""
    logits: Float[Tensor, "batch classes"]
    """Of the training forward pass, with graph."""
    upstream_labels: Float[Tensor, "batch classes"]
    """The labels before refinement, as rows."""
    alignment: Float[Tensor, "batch classes"] | None
    """Π; None where the preset computes none."""
    normalise: Literal["sum", "batch"]

    def loss(self) -> Float[Tensor, ""]:
        """Weighted soft cross-entropy; zero, with zero gradient, where every weight is zero."""
        return soft_cross_entropy(
            self.logits, self.soft_labels.to(self.logits), self.sample_weights.to(self.logits), normalise=self.normalise
        )

    @property
    def dropped(self) -> Bool[Tensor, ""]:
        """Whether every weight is zero, so that the batch teaches nothing."""
        return (self.sample_weights == 0).all()

    @property
    def label_changed(self) -> Bool[Tensor, " batch"]:
        """Which samples' largest label entry is another class than upstream."""
        return self.soft_labels.argmax(1) != self.upstream_labels.argmax(1)


class Saflex(OuterMemory):
    """Learns a weight and a soft label for every augmented sample, in one step (Algorithm 1 and its repairs).

    One keyword-only call in the place of `model(inputs)`; it owns no optimizer, no logging and no configuration file.
    The call *is* the training step's forward pass: running statistics and dropout advance as in `model(inputs)`, once.

    Args:
        preset: `default`, `paper`, `lp`, `theorem1`, `weights_only`, `proximal`, `bootstrap` or `l2rw`; see
            `saflex_cli.settings`.
        head: The classifier layer or its dotted name, where scope `head` cannot find it.
        overrides: Any field of `saflex_cli.settings.Settings`.

    Raises:
        SaflexValueError: for unknown names or contradicting values.

    Use one instance per model: unless `outer_every` is 1 it remembers the outer gradient between calls, and with
    `outer_momentum` their running mean, `running` (`reset` forgets both).
    """

    def __init__(self, *, preset: str = DEFAULT, head: nn.Module | str | None = None, **overrides: Any) -> None:  # noqa: ANN401
        self.settings = preset_settings(preset, **overrides)
        self.head = head
        self.reset()

    def __call__(
        self,
        *,
        model: nn.Module,
        inputs: Inputs,
        upstream_labels: Labels,
        outer_inputs: Inputs | None = None,
        outer_labels: OuterLabels | None = None,
        outer_pass: RecordedPass | None = None,
        upstream_weights: Float[Tensor, " batch"] | None = None,
        generator: torch.Generator | None = None,
        optimizer: Optimizer | None = None,
    ) -> Refined:
        """Refine one augmented batch.

        Args:
            model: Returns logits (B, K); called as `model(inputs)`.
            inputs: B augmented samples (tensor, tuple or dict), handed to the model unchanged.
            upstream_labels: Their classes (B,) or soft labels (B, K) as the upstream augmentation gives them.
            outer_inputs: M trusted samples; not needed by presets without Π, nor by a call that is not `is_due`.
            outer_labels: Their classes (M,) or soft labels (M, K).
            outer_pass: Instead of `outer_inputs`, in scope `head`: a pass over them that the step makes anyway, such as
                `recorded_pass(model, clean_inputs)` whose loss is part of the step's. There is no further pass then.
            upstream_weights: Weights (B,) of the upstream augmentation; multiplied with the learned ones.
            generator: Source of the Gumbel noise; the global one otherwise.
            optimizer: The Adam whose preconditioner is used (`precondition=True` only).

        Raises:
            SaflexValueError: for shapes or labels that do not fit, missing outer data, or a call without gradients.
        """
        if not torch.is_grad_enabled():
            raise SaflexValueError("call saflex where gradients are enabled: its logits are the training forward pass")
        if outer_pass is not None and outer_inputs is not None:
            raise SaflexValueError("give outer_inputs or outer_pass, not both")
        outer = outer_inputs if outer_pass is None else outer_pass
        found = self._align(model, inputs, len(upstream_labels), outer, outer_labels, optimizer)
        upstream = soft_labels(upstream_labels, found.log_probs, "upstream_labels")
        weights = None if upstream_weights is None else _checked_weights(upstream_weights, upstream[:, 0])
        error = partial(self._standard_error, found) if self.settings.weight_margin else None
        return refine(found, upstream, weights, self.settings, generator=generator, error=error)

    def _align(
        self,
        model: nn.Module,
        inputs: Inputs,
        size: int,
        outer: Inputs | RecordedPass | None,
        outer_labels: OuterLabels | None,
        optimizer: Optimizer | None,
    ) -> Alignment:
        settings = self.settings
        if not settings.needs_outer:
            return unaligned(model, inputs, mode=settings.alignment_mode)
        with section("outer"):
            latest = partial(self._latest_direction, model, outer, outer_labels)
            count = None if outer_labels is None else len(outer_labels)
            direction = self._remembered(model, count, size, latest)
        if settings.precondition:
            if optimizer is None:
                raise SaflexValueError("precondition needs the optimizer: saflex(…, optimizer=optimizer)")
            direction = preconditioned(direction, model, optimizer)
        return align(
            model,
            inputs,
            direction,
            of=settings.alignment_of,
            sign=settings.alignment_sign,
            mode=settings.alignment_mode,
            training_step=True,
        )

    def _latest_direction(
        self, model: nn.Module, outer: Inputs | RecordedPass | None, outer_labels: OuterLabels | None
    ) -> OuterDirection:
        if outer is None or outer_labels is None:
            raise SaflexValueError("this preset needs outer_inputs and outer_labels: the trusted samples")
        settings = self.settings
        shared: _HeadChoices = {
            "reduction": settings.outer_reduction,
            "balance": settings.outer_balance,
            "features": settings.head_features,
            "steps": settings.outer_steps,
        }
        if not isinstance(outer, RecordedPass):
            scope: Literal["all", "head"] = "all" if settings.scope == "all" else "head"
            mode = settings.alignment_mode
            return outer_direction(model, outer, outer_labels, scope=scope, head=self.head, mode=mode, **shared)
        if settings.scope != "head" or settings.alignment_mode != "train":
            raise SaflexValueError(
                "outer_pass holds what the classifier layer got in a training pass: it needs scope head and "
                "alignment_mode train; give outer_inputs instead"
            )
        return recorded_direction(outer, outer_labels, **shared)

    def _standard_error(self, found: Alignment, labels: Float[Tensor, "batch classes"]) -> Float[Tensor, " batch"]:
        """Of Π·y over the outer samples (scope `head`)."""
        samples = self._direction.samples if self._direction is not None else None
        if samples is None or found.features is None:
            raise SaflexValueError("weight_margin needs scope head")
        error = samples.standard_error(found.features, labels, found.log_probs.exp())
        return error * len(samples.shares) if self.settings.outer_reduction == "sum" else error


@torch.no_grad()
def refine(
    found: Alignment,
    upstream: Float[Tensor, "batch classes"],
    upstream_weights: Float[Tensor, " batch"] | None,
    settings: Settings,
    *,
    generator: torch.Generator | None = None,
    noise: Float[Tensor, "batch classes"] | None = None,
    error: Callable[[Tensor], Tensor] | None = None,
) -> Refined:
    """Labels and weights of a batch whose Π is known; the last three as for `solve_labels` and `solve_weights`."""
    with section("solve"):
        labels = solve_labels(found.matrix, found.log_probs, upstream, settings, generator, noise=noise)
        weights = solve_weights(found.matrix, labels, upstream, found.log_probs, settings, error)
    if upstream_weights is not None:
        weights = weights * upstream_weights
    matrix = found.matrix if settings.needs_outer else None
    return Refined(weights, labels, found.logits, upstream, matrix, settings.normalise)


def _checked_weights(given: Tensor, learned: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    if given.shape != learned.shape:
        raise SaflexValueError(f"upstream_weights must have shape {tuple(learned.shape)}, not {tuple(given.shape)}")
    if given.device.type == "cpu" and not within(given, 0.0, 1.0):
        raise SaflexValueError("upstream_weights must lie in [0, 1]")
    return given.detach().to(learned)
