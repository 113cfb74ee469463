"""SAFLEX for contrastive fine-tuning (end of Section 3): one call inside anybody's loop over image-text pairs."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, get_args

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.optim import Optimizer

from saflex_cli.core.alignment import Alignment, alignment_from, descent_direction, measured_pass
from saflex_cli.core.contrastive import Positives, Proxies, proxies, symmetric_loss
from saflex_cli.core.contrastive_towers import Towers, projection_direction, projection_pass
from saflex_cli.core.directional import DirectionalPass, OuterDirection, directional_pass, still_pass
from saflex_cli.core.losses import outer_shares
from saflex_cli.core.outer_memory import OuterMemory
from saflex_cli.core.passes import Inputs, evaluation_mode, separate_rng
from saflex_cli.core.precondition import preconditioned
from saflex_cli.core.saflex import Refined, refine
from saflex_cli.core.sections import section
from saflex_cli.core.solution import weight_scores, weights_from
from saflex_cli.errors import SaflexValueError
from saflex_cli.settings import DEFAULT, Settings, preset_settings

DirectionWeights = Literal["shared", "separate"]


@dataclass(frozen=True)
class RefinedPairs:
    """A batch of pairs with learned weights and labels in both directions (Eq. 14)."""

    images: Refined
    """The images as samples: their weights, their labels over the classes of the texts, Π."""
    texts: Refined
    """The texts as samples, likewise."""
    classes: Int[Tensor, " pairs"]
    """The class that every pair belongs to: the own column of its labels."""

    def loss(self) -> Float[Tensor, ""]:
        """Mean of both directions; one whose weights are all zero adds 0."""
        return (self.images.loss() + self.texts.loss()) / 2

    @property
    def dropped(self) -> Bool[Tensor, ""]:
        """Whether every weight is zero, so that the batch teaches nothing."""
        return self.images.dropped & self.texts.dropped

    @property
    def weight_sum(self) -> Float[Tensor, ""]:
        """Σ of the weights, mean of both directions."""
        return (self.images.sample_weights.sum() + self.texts.sample_weights.sum()) / 2

    @property
    def label_changed(self) -> Bool[Tensor, " pairs"]:
        """For which pairs the largest entry of the image's or of the text's label is another class than the own."""
        return self.images.label_changed | self.texts.label_changed


class ContrastiveSaflex(OuterMemory):
    """Learns weights and soft labels for a batch of image-text pairs, in one step.

    One keyword-only call in the place of `model(images, texts)`, as with `saflex_cli.core.Saflex`; the call *is* the
    training step's forward pass. The outer loss is the same contrastive loss, with weights 1, on trusted pairs.

    Args:
        preset: As for `Saflex`. Scope `head` are the projections of both towers and the scale.
        positives: What a class is; see `saflex_cli.core.contrastive.proxies`.
        direction_weights: One weight for a pair, the rule applied to the mean of what it tests in both directions
            (`shared`: the optimum of Eq. 4 for such weights), or one in each (`separate`). The paper leaves it open.
        overrides: Any field of `saflex_cli.settings.Settings` apart from those of a linear head: `head_features`,
            `outer_steps`, `weight_margin`.

    Raises:
        SaflexValueError: for unknown names or contradicting values.
    """

    def __init__(
        self,
        *,
        preset: str = DEFAULT,
        positives: Positives = "grouped",
        direction_weights: DirectionWeights = "shared",
        **overrides: Any,  # noqa: ANN401
    ) -> None:
        self.settings = preset_settings(preset, **overrides)
        self.positives: Positives = _choice("positives", positives, Positives)
        self.direction_weights: DirectionWeights = _choice("direction_weights", direction_weights, DirectionWeights)
        for name in ("head_features", "outer_steps", "weight_margin"):
            if getattr(self.settings, name) != getattr(Settings(), name):
                raise SaflexValueError(f"{name} is of a linear classifier layer; it has no meaning for two towers")
        self.reset()

    def __call__(
        self,
        *,
        model: nn.Module,
        images: Inputs,
        texts: Inputs,
        groups: Int[Tensor, " pairs"],
        outer_images: Inputs | None = None,
        outer_texts: Inputs | None = None,
        outer_groups: Int[Tensor, " outer"] | None = None,
        generator: torch.Generator | None = None,
        optimizer: Optimizer | None = None,
    ) -> RefinedPairs:
        """Refine one batch of pairs.

        Args:
            model: Called as `model(images, texts)`; returns `saflex_cli.core.Encoded` of B pairs.
            images: Augmented images, handed to the model unchanged.
            texts: Their captions, likewise.
            groups: A number for every pair, the same for pairs with the same caption (or class).
            outer_images: Images of M trusted pairs; not needed by presets without Π.
            outer_texts: Their captions.
            outer_groups: Their groups.
            generator: Source of the Gumbel noise; the global one otherwise.
            optimizer: The Adam whose preconditioner is used (`precondition=True` only).

        Raises:
            SaflexValueError: for a model, shapes or groups that do not fit, missing outer data, or a call without
                gradients.
        """
        if not torch.is_grad_enabled():
            raise SaflexValueError("call saflex where gradients are enabled: its logits are the training forward pass")
        towers = Towers(model)
        direction = None
        if self.settings.needs_outer:
            latest = partial(self._latest_direction, towers, outer_images, outer_texts, outer_groups)
            count = None if outer_groups is None else len(outer_groups)
            with section("outer"):
                direction = self._remembered(model, count, len(groups), latest)
            direction = self._preconditioned(direction, towers, optimizer)
        measured, found = self._measured(towers, (images, texts), direction)
        return self._refined(measured, found, proxies(groups, found, self.positives), generator)

    def _latest_direction(
        self, towers: Towers, images: Inputs | None, texts: Inputs | None, groups: Int[Tensor, " outer"] | None
    ) -> OuterDirection:
        if images is None or texts is None or groups is None:
            raise SaflexValueError("this preset needs outer_images, outer_texts and outer_groups: the trusted pairs")
        settings = self.settings
        if settings.alignment_mode == "eval" and any(module.training for module in towers.modules()):
            with evaluation_mode(towers):
                return self._latest_direction(towers, images, texts, groups)

        def loss(similarity: Tensor) -> Tensor:
            classes = proxies(groups, similarity, self.positives)
            shares = outer_shares(classes.labels) if settings.outer_balance else None
            mean = symmetric_loss(similarity, classes, weights=None if shares is None else (shares, shares))
            return mean * len(similarity) if settings.outer_reduction == "sum" else mean

        with separate_rng(towers):
            down = projection_direction if settings.scope == "head" else descent_direction
            return down(towers, (images, texts), loss)

    def _preconditioned(self, direction: OuterDirection, towers: Towers, optimizer: Optimizer | None) -> OuterDirection:
        if not self.settings.precondition:
            return direction
        if optimizer is None:
            raise SaflexValueError("precondition needs the optimizer: saflex(…, optimizer=optimizer)")
        return preconditioned(direction, towers, optimizer)

    def _measured(
        self, towers: Towers, pair: tuple[Inputs, Inputs], direction: OuterDirection | None
    ) -> tuple[DirectionalPass, Tensor]:
        """Similarities with their derivative, and the similarities of the training forward."""
        if direction is None:
            take = partial(still_pass, towers, pair)
        else:
            along = projection_pass if self.settings.scope == "head" else directional_pass
            take = partial(along, towers, pair, direction)
        return measured_pass(towers, pair, take, mode=self.settings.alignment_mode, training_step=True)

    @torch.no_grad()
    def _refined(
        self, measured: DirectionalPass, found: Tensor, classes: Proxies, generator: torch.Generator | None
    ) -> RefinedPairs:
        with torch.enable_grad():
            logits = classes.logits(found), classes.logits(found.T)
        ways = (measured.logits, measured.velocity), (measured.logits.T, measured.velocity.T)
        aligned = [self._aligned(*way, classes, z) for way, z in zip(ways, logits, strict=True)]
        images, texts = (refine(one, classes.labels, None, self.settings, generator=generator) for one in aligned)
        if self.direction_weights == "shared":
            scores = [self._scores(one, refined) for one, refined in zip(aligned, (images, texts), strict=True)]
            weights = weights_from((scores[0] + scores[1]) / 2, self.settings)
            images, texts = (replace(refined, sample_weights=weights) for refined in (images, texts))
        return RefinedPairs(images, texts, classes.classes)

    def _aligned(self, similarity: Tensor, velocity: Tensor, classes: Proxies, logits: Tensor) -> Alignment:
        merged = DirectionalPass(classes.logits(similarity), classes.velocity(similarity, velocity))
        aligned = alignment_from(merged, self.settings.alignment_of, self.settings.alignment_sign)
        return replace(aligned, logits=logits)

    def _scores(self, found: Alignment, refined: Refined) -> Tensor:
        return weight_scores(found.matrix, refined.soft_labels, refined.upstream_labels, found.log_probs, self.settings)


def _choice(name: str, value: Any, choices: Any) -> Any:  # noqa: ANN401 - a Literal and one of its values
    if value not in get_args(choices):
        raise SaflexValueError(f"{name} must be {' or '.join(get_args(choices))}, not {value!r}")
    return value
