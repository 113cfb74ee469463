"""Every reading of the method as one frozen value, and the presets by name. Free of torch, so that recipes can use it.

The formula, with Π_i the alignment of sample i (see `saflex_cli.core.alignment`), ỹ_i its upstream label, p(x_i) the
model's prediction and G_i Gumbel(0, 1) noise:

    u_i = s Π_i + β ỹ_i + γ log p(x_i) + κ G_i
    y_i = softmax(u_i / τ)
    w_i = rule(Π_i, y_i or ỹ_i), then normalised

E1 to E16 number the places where the paper is ambiguous; `saflex_cli/core/README.md` lists them with their reasons.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from saflex_cli.errors import SaflexValueError

Scope = Literal["all", "head", "none"]
WeightRule = Literal["agreement", "printed_sum", "upstream_agreement", "joint", "relu", "none"]
PresetName = Literal["default", "paper", "lp", "theorem1", "weights_only", "proximal", "bootstrap", "l2rw"]
DEFAULT: PresetName = "default"
"""What is used where no preset is named: the one that the study of the method chose (`docs/method-study.md`)."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One reading of SAFLEX. Raises `SaflexValueError` for values out of range or that contradict each other."""

    scope: Scope = "all"
    """Parameters over which Π is taken: all that train, the classifier layer, or `none` (no Π at all)."""
    alignment_of: Literal["log_prob", "logit", "prob"] = "log_prob"
    """E2: the model output f whose derivative Π is."""
    alignment_sign: Literal[1, -1] = 1
    """E1: 1 lowers the outer loss; -1 is the paper's Notation 1 taken literally."""
    alignment_mode: Literal["train", "eval"] = "train"
    """E9: compute Π in the modes that the model's modules are in, or with all of them in evaluation mode."""
    outer_reduction: Literal["mean", "sum"] = "mean"
    """E11: reduction of the outer loss over the outer batch."""
    outer_batch_size: int | Literal["auto", "all"] = "auto"
    """E10: outer samples per step; `auto` is min(batch, set). Read by the training loop, which draws the batch."""
    outer_every: int | Literal["auto"] = 1
    """E10: steps for which an outer gradient is used before it is computed anew; `auto` is as many as batches fit into
    the outer batch, rounded up, so that the outer pass never sees more samples than training."""
    outer_balance: bool = False
    """Every class of the outer batch counts the same in the outer loss, whatever its share."""
    outer_momentum: float = 0.0
    """Share of the earlier outer gradients in a running mean of them; 0 is the latest alone."""
    head_features: Literal["raw", "centred", "correlation"] = "raw"
    """Scope `head`: features as the layer gets them, minus their mean over the outer batch, or that at length 1. The
    last two leave out the bias, and are no derivative of the loss any more: Π's kernel ⟨h_i, h_j⟩ + 1 becomes one that
    takes both signs."""
    outer_steps: int = 1
    """Scope `head`: Π along the mean gradient of this many steps of the layer on the outer loss, not of the first."""
    precondition: bool = False
    """E15: multiply the outer gradient by Adam's diagonal preconditioner, as the true step does."""
    scale: float | Literal["rms"] = 1.0
    """s: a number, or 1 / rms(Π) over the batch, at most `scale_cap`."""
    scale_cap: float = 100.0
    """Largest s that `scale: rms` may reach."""
    label_retention: float = 0.0
    """β: weight of the upstream label in the new label (E4)."""
    retention_of: Literal["soft", "argmax"] = "soft"
    """E13: β times the upstream label as it is, or times the one-hot vector of its largest entry."""
    model_prior: float = 0.0
    """γ: weight of the model's own log-probabilities."""
    gumbel_scale: float = 0.0
    """κ: scale of the Gumbel noise (E5)."""
    temperature: float = 1.0
    """τ; 0 takes the argmax."""
    refine_labels: bool = True
    """False keeps the upstream labels and learns weights only."""
    weight_rule: WeightRule = "agreement"
    """E3: Π·y ≥ 0 · Σ_k Π_k ≥ 0 as printed in Theorem 1 · Π·ỹ ≥ 0 · Σ_k prior_k exp(s Π_k) ≥ 1, the optimum over
    weights and labels together with prior ∝ p^γ exp(β ỹ) · max(0, Π·ỹ) · every weight 1."""
    weight_margin: float = 0.0
    """Scope `head`: how many standard errors of Π·y, over the outer samples, a sample may lie below 0 and keep its
    weight."""
    weight_test_of: Literal["alignment", "retained"] = "alignment"
    """E12: test Π itself (Algorithm 1) or Π + βỹ (the substitution of Section 3)."""
    simplex_weights: bool = False
    """E6: Σ w = 1 as a constraint (Appendix A): all weight on the best sample."""
    normalise: Literal["sum", "batch"] = "sum"
    """E16: divide the weighted loss by Σ w (Algorithm 1) or by the batch size."""
    warm_up: int = 0
    """Epochs on the upstream batch as it is, before anything is refined. Read by the training loop."""
    label_retention_end: float | None = None
    """β of the last epoch, reached in equal steps from `label_retention`. Read by the training loop."""

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self)).items():
            _check_value(name, getattr(self, name), hint)
        for name in ("scale", "label_retention", "model_prior", "gumbel_scale", "temperature", *_NEVER_NEGATIVE):
            if not isinstance(value := getattr(self, name), str | None) and value < 0:
                raise SaflexValueError(f"{name} must be at least 0, not {value}")
        for name in ("scale_cap", "outer_every", "outer_batch_size", "outer_steps"):
            if not isinstance(value := getattr(self, name), str) and value <= 0:
                raise SaflexValueError(f"{name} must be above 0, not {value}")
        if self.scope == "none" and (self.weight_rule != "none" or (self.refine_labels and self.scale != 0)):
            raise SaflexValueError("scope none computes no Π: it needs weight_rule none and scale 0")
        if self.simplex_weights and self.weight_rule == "none":
            raise SaflexValueError("simplex_weights needs a weight_rule to rank the samples by, not none")
        if self.outer_momentum >= 1:
            raise SaflexValueError(f"outer_momentum must be below 1, not {self.outer_momentum}")
        if self.head_features != "raw" and self.scope != "head":
            raise SaflexValueError(f"head_features {self.head_features} needs scope head, not {self.scope}")
        if self.outer_steps > 1 and self.scope != "head":
            raise SaflexValueError(f"outer_steps {self.outer_steps} needs scope head, not {self.scope}")
        if self.head_features != "raw" and self.precondition:
            raise SaflexValueError("precondition is of the layer's own parameters: it needs head_features raw")
        self._check_margin()

    def _check_margin(self) -> None:
        if not self.weight_margin:
            return
        fits = {
            "scope": self.scope == "head",
            "alignment_of": self.alignment_of == "log_prob",
            "weight_rule": self.weight_rule in ("agreement", "upstream_agreement"),
            "weight_test_of": self.weight_test_of == "alignment",
            "outer_momentum": not self.outer_momentum,
            "precondition": not self.precondition,
        }
        for name, fit in fits.items():
            if not fit:
                raise SaflexValueError(f"weight_margin does not go with {name} {getattr(self, name)}")

    def steps_per_outer_gradient(self, outer: int, batch: int) -> int:
        """`outer_every`, for an outer batch and a batch of so many samples."""
        return -(-outer // max(1, batch)) if self.outer_every == "auto" else self.outer_every

    @property
    def needs_outer(self) -> bool:
        """Whether outer data are used at all."""
        return self.scope != "none"


_NEVER_NEGATIVE = ("outer_momentum", "weight_margin", "warm_up", "label_retention_end")


def at_epoch(settings: Settings, epoch: int, epochs: int) -> Settings:
    """The settings of one epoch, counted from 0: nothing refined during `warm_up`, then β on its way to its end."""
    if epoch < settings.warm_up:
        return Settings(scope="none", scale=0.0, refine_labels=False, weight_rule="none", normalise=settings.normalise)
    if settings.label_retention_end is None:
        return settings
    share = epoch / max(1, epochs - 1)
    retention = (1 - share) * settings.label_retention + share * settings.label_retention_end
    return replace(settings, label_retention=retention)


def _check_value(name: str, value: object, hint: Any) -> None:  # noqa: ANN401 - a type annotation
    """A choice of a `Literal`, a whole number, a finite number or a truth value, as the annotation says."""
    parts = get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)
    choices = [choice for part in parts if get_origin(part) is Literal for choice in get_args(part)]
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    fits = any(value == choice and type(value) is type(choice) for choice in choices)
    fits = fits or (bool in parts and isinstance(value, bool)) or (NoneType in parts and value is None)
    fits = fits or (float in parts and is_number) or (int in parts and is_number and isinstance(value, int))
    if not fits:
        kinds = [kind for kind, type_ in (("a number", float), ("a whole number", int)) if type_ in parts]
        expected = [*map(str, choices), *kinds, *(["true", "false"] if bool in parts else [])]
        raise SaflexValueError(f"{name} must be {' or '.join(expected)}, not {value!r}")


_VERBATIM = Settings(gumbel_scale=1.0, temperature=0.01)
_PROXIMAL = Settings(
    scope="head", scale="rms", label_retention=2.0, model_prior=1.0, temperature=1.0, outer_batch_size="all"
)

PRESETS: Mapping[str, Settings] = {
    # `proximal` at the price of little more than plain training: chosen among our repairs by a rule fixed beforehand.
    DEFAULT: replace(_PROXIMAL, outer_every="auto"),
    # Algorithm 1, verbatim. Section 4 and Appendix C: β = 1 for tabular data, τ = 0.1 for CLIP.
    "paper": _VERBATIM,
    # The optimum of the linear program of Eq. 4 in the box 0 ≤ w ≤ 1.
    "lp": replace(_VERBATIM, gumbel_scale=0.0, temperature=0.0),
    # Theorem 1 with the weight test as printed.
    "theorem1": replace(_VERBATIM, gumbel_scale=0.0, temperature=0.0, weight_rule="printed_sum"),
    # Our repairs: the upstream label kept; the KL-proximal step towards a prior of prediction and upstream label.
    "weights_only": Settings(
        scope="head", refine_labels=False, weight_rule="upstream_agreement", outer_batch_size="all"
    ),
    "proximal": _PROXIMAL,
    # The ablation: `proximal` without Π.
    "bootstrap": replace(_PROXIMAL, scope="none", scale=0.0, weight_rule="none"),
    # Ren et al. 2018, "Learning to Reweight Examples for Robust Deep Learning": a peer.
    "l2rw": Settings(refine_labels=False, weight_rule="relu"),
}


def preset_settings(preset: str, **overrides: Any) -> Settings:  # noqa: ANN401 - the fields' own types are checked by their users
    """The settings of a preset with single fields replaced.

    Raises:
        SaflexValueError: for an unknown preset or field, or values that contradict each other.
    """
    if preset not in PRESETS:
        raise SaflexValueError(f"unknown preset {preset!r}; there are: {', '.join(PRESETS)}")
    known = {field.name for field in fields(Settings)}
    if unknown := sorted(set(overrides) - known):
        raise SaflexValueError(f"unknown setting {unknown[0]!r}; there are: {', '.join(sorted(known))}")
    return replace(PRESETS[preset], **overrides)
