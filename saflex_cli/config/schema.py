"""What a recipe may say: frozen types, with every default here, in `components` and in `references`.

A recipe holds the whole comparison: one data set, model and augmentation (see `components`), the training protocol, and
all compared methods.
Field docstrings are the manual. Unknown keys are errors.
"""

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from pydantic import AfterValidator, Field, create_model, model_validator

from saflex_cli.config.base import Positive, Strict
from saflex_cli.config.components import Augmenter, DataConfig, ModelConfig
from saflex_cli.config.method_base import MethodBase, Seeds, WithoutUpstream, all_different
from saflex_cli.config.metrics import SelectionMetric
from saflex_cli.config.pool import PoolConfig
from saflex_cli.config.references import GradientBoosting, LogisticRegression
from saflex_cli.settings import DEFAULT, PRESETS, PresetName, Settings

PROTOCOL = 2
"""Raised when one recipe would give another result than before (a changed trainer): old reports are then stale."""

SplitName = Literal["train", "val", "test"]


# --- training --------------------------------------------------------------------------------------------------------


class Adam(Strict):
    """Adam, with the learning rate multiplied by `gamma` at each milestone (epochs, counted from 0)."""

    name: Literal["adam"]
    lr: Annotated[float, Field(gt=0)] = 1.0e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    milestones: tuple[Positive, ...] = ()
    gamma: Annotated[float, Field(gt=0)] = 0.1
    fused: bool = False
    """One pass over the parameters instead of a dozen: worth it where there are millions; last digits differ."""


class AdamW(Strict):
    """Adam with decoupled weight decay, with the same step schedule; defaults as in SAINT's training."""

    name: Literal["adamw"]
    lr: Annotated[float, Field(gt=0)] = 1.0e-4
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    milestones: tuple[Positive, ...] = ()
    gamma: Annotated[float, Field(gt=0)] = 0.1
    fused: bool = False
    """As for `adam`."""


class Sgd(Strict):
    """Stochastic gradient descent, with the same step schedule."""

    name: Literal["sgd"]
    lr: Annotated[float, Field(gt=0)]
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    milestones: tuple[Positive, ...] = ()
    gamma: Annotated[float, Field(gt=0)] = 0.1


OptimizerConfig = Annotated[Adam | AdamW | Sgd, Field(discriminator="name")]


class Train(Strict):
    """How long, in which portions, and how the device computes."""

    epochs: Positive
    batch_size: Annotated[int, Field(ge=2)]
    """The last batch of an epoch may be smaller; a last batch of one sample is left out (BatchNorm cannot use it)."""
    updates_per_epoch: Positive | None = None
    """An epoch of exactly this many full batches, in as many shuffled passes over the training samples as it takes; a
    pass ends where no full batch is left. Without it, an epoch is one pass. A set smaller than `batch_size` is a batch.
    """
    precision: Literal["float32", "bfloat16"] = "float32"
    """`bfloat16` runs training passes in autocast; Π over all parameters, the solution and evaluation stay float32."""
    channels_last: bool = False
    """Images and convolution weights with the channels innermost in memory."""
    compile: bool = False
    """`torch.compile` of the network's parts before its last layer; not with Π over all parameters (scope `all`)."""


class Selection(Strict):
    """The epoch whose weights are reported as `selected`: the first one with the best value. Test data never select."""

    metric: SelectionMetric = "accuracy"
    """`macro_f1` is averaged over the classes that the split holds, as WILDS does it."""
    split: Literal["val"] = "val"


# --- methods ---------------------------------------------------------------------------------------------------------


class NoAug(WithoutUpstream):
    """Training data as they are."""

    name: Literal["no_aug"]


class LpA3(WithoutUpstream):
    """A peer: clean samples, and samples moved far in the net's features at nearly their label's probability.

    Yang et al., NeurIPS 2022; `docs/peers.md` says what is published and what is our choice.
    """

    name: Literal["lp_a3"]
    bound: Annotated[float, Field(gt=0)] = 0.02
    """The log-probability (nats) that a sample's label may lose."""
    lam: Annotated[float, Field(ge=0)] = 1.0
    """What the Lagrange multiplier grows towards; 0 leaves the label out."""
    iterations: Positive = 5
    """Steps of the search; each costs a forward and a backward pass, and a second forward pass."""
    ratio: Annotated[float, Field(gt=0, le=1)] = 0.9
    """The share of a batch that is augmented as well: the samples whose predictions change least between epochs."""
    newest: Annotated[float, Field(gt=0, le=1)] = 0.99
    """What the latest epoch counts in a sample's running average of such changes."""


class Upstream(MethodBase):
    """The augmentation alone."""

    name: Literal["upstream"]
    clean_batch: bool = False
    """Mean of the loss on the clean batch and on the augmented batch, at equal weight."""
    normalise: Literal["sum", "batch"] = "sum"
    """Divide the weighted loss by the sum of the augmentation's weights, or by the batch size."""
    reestimate_batch_norm: bool = False
    """Judge and save the model with BatchNorm statistics of its clean training data; it trains on with its own."""


if TYPE_CHECKING:
    SettingsFields = Strict
else:  # The fields of `Settings`, so that pydantic checks them as strictly as everything else.
    _HINTS = get_type_hints(Settings)
    SettingsFields = create_model(
        "SettingsFields", __base__=Strict, **{f.name: (_HINTS[f.name], f.default) for f in fields(Settings)}
    )


class SaflexMethod(MethodBase):
    """SAFLEX on top of the augmentation. Any field of `Settings` beside the preset overrides it."""

    name: Literal["saflex"]
    preset: PresetName = DEFAULT
    outer: Literal["val", "train", "train+val", "batch", "clean_pass", "fold"] = "val"
    """The trusted data whose loss the weights and labels lower (E10); `batch` is the clean samples of the very batch,
    whatever `outer_batch_size` says. `clean_pass` takes these, too, from the training pass of the clean batch itself,
    so that there is no further pass: in scope `head` with `clean_batch`. `fold` is a fifth of the training data, in
    every epoch another one, which is not trained on in that epoch."""
    clean_batch: bool = False
    """As for `upstream` (E8)."""
    settings: SettingsFields
    """The preset with its overrides, resolved."""

    @model_validator(mode="before")
    @classmethod
    def _resolve_settings(cls, raw: Any) -> Any:  # noqa: ANN401 - raw YAML
        if not isinstance(raw, dict):
            return raw
        raw = {"preset": DEFAULT} | raw
        preset = PRESETS.get(raw["preset"])
        names = {field.name for field in fields(Settings)}
        given = raw.get("settings", {})
        if not isinstance(given, dict):
            return raw
        resolved = (asdict(preset) if preset else {}) | given
        resolved |= {key: value for key, value in raw.items() if key in names}
        return {key: value for key, value in raw.items() if key not in names} | {"settings": resolved}

    @model_validator(mode="after")
    def _check_settings(self) -> "SaflexMethod":
        settings = self.resolved_settings()
        if self.outer != "clean_pass":
            return self
        if not self.clean_batch:
            raise ValueError("outer clean_pass is the training pass of the clean batch: it needs clean_batch: true")
        if settings.scope != "head":
            raise ValueError(f"outer clean_pass needs scope head, not {settings.scope}")
        if settings.alignment_mode != "train":
            raise ValueError(
                "outer clean_pass is a training pass: it needs alignment_mode train; or write outer: batch"
            )
        return self

    def resolved_settings(self) -> Settings:
        """The settings as the core takes them."""
        return Settings(**self.settings.model_dump())


MethodConfig = Annotated[
    NoAug | Upstream | SaflexMethod | LpA3 | LogisticRegression | GradientBoosting, Field(discriminator="name")
]


class Recipe(Strict):
    """One comparison: everything that the compared methods share, and the methods."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]+(/[a-z0-9_-]+)*$")]
    """Path-like name; reports lie under it."""
    data: DataConfig
    pool: PoolConfig | None = None
    """Training samples set aside, some of them made wrong, for the augmenter's step `pool`; all methods train on the
    rest."""
    model: ModelConfig
    augmenter: Augmenter | None = None
    """The upstream augmentation, shared by all methods except `no_aug`, `lp_a3` and the references."""
    optimizer: OptimizerConfig
    train: Train
    selection: Selection = Selection()
    methods: Annotated[tuple[MethodConfig, ...], Field(min_length=1), AfterValidator(all_different)]
    seeds: Seeds

    @model_validator(mode="after")
    def _check_compiled(self) -> "Recipe":
        for method in self.methods if self.train.compile else ():
            if isinstance(method, SaflexMethod) and method.resolved_settings().scope == "all":
                reason = "its Π over all parameters (scope all) needs forward derivatives, which compiled code has not"
            elif isinstance(method, LpA3):
                reason = "its features are read inside the compiled parts"
            else:
                continue
            raise ValueError(f"train.compile does not go with the method {method.label}: {reason}; leave one out")
        return self

    def seeds_of(self, method: MethodConfig) -> tuple[int, ...]:
        """One run each."""
        return self.seeds if method.seeds is None else method.seeds
