"""What a recipe may say: frozen types, with every default in this file.

A recipe holds the whole comparison: one data set, model, augmentation and training protocol, and all compared methods.
Field docstrings are the manual. Unknown keys are errors.
"""

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model, model_validator

from saflex_cli.settings import PRESETS, PresetName, Settings

PROTOCOL = 2
"""Raised when one recipe would give another result than before (a changed trainer): old reports are then stale."""

SplitName = Literal["train", "val", "test"]
Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
MedMnistSet = Literal[
    "pathmnist",
    "dermamnist",
    "octmnist",
    "pneumoniamnist",
    "retinamnist",
    "breastmnist",
    "bloodmnist",
    "tissuemnist",
    "organamnist",
    "organcmnist",
    "organsmnist",
]


def _train_first(splits: tuple[str, ...]) -> tuple[str, ...]:
    if splits not in (("train",), ("train", "val")):
        raise ValueError("should be [train] or [train, val]")
    return splits


TrainOn = Annotated[tuple[str, ...], AfterValidator(_train_first)]


def _all_different(items: tuple[Any, ...]) -> tuple[Any, ...]:
    names = [getattr(item, "label", item) for item in items]
    twice = [name for index, name in enumerate(names) if name in names[:index]]
    if twice:
        raise ValueError(f"{twice[0]} is listed twice; leave one out, or give a method a label of its own")
    return items


class Strict(BaseModel):
    """Base: frozen, no unknown keys, no silent conversion, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


# --- data ------------------------------------------------------------------------------------------------------------


class DigitsData(Strict):
    """scikit-learn's digits: 1,797 real 8 × 8 images of handwritten digits (UCI optdigits, test part), no download."""

    name: Literal["digits"]
    train: Positive = 500
    """Images to train on, drawn class by class."""
    val: Positive = 250
    """Validation images; every other image is test."""
    split_seed: int | None = None
    """One split for all seeds; without it every seed has a split of its own (the same for all methods)."""


class Pixels(Strict):
    """How images of 0…255 become inputs, for every data set read from files."""

    rgb: bool = False
    """Grey images get three equal channels. Colour images have three in any case."""
    mean: float = 0.5
    """Subtracted from intensities in [0, 1], the same for all channels."""
    std: Annotated[float, Field(gt=0)] = 0.5
    """Divides what is left."""


class MedMnistData(Pixels):
    """A single-label 2-D set of MedMNIST v2 (Yang et al. 2023) in its official splits; the MD5 is always checked."""

    name: Literal["medmnist"]
    subset: MedMnistSet
    size: Literal[28, 64, 128, 224] = 28
    """Pixels per side of the official release."""


class Carved(Strict):
    """How splits that a source lacks are carved out of `train`, class by class."""

    val_share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of the training samples that become `val` where there is none."""
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of the training samples that become `test` where there is none; taken first."""
    split_seed: int = 0
    """The carved splits are the same for every run seed."""


class NpzData(Pixels, Carved):
    """Any file in MedMNIST's format: `{train,val,test}_{images,labels}`, uint8 images (N, H, W) or (N, H, W, 3)."""

    name: Literal["npz"]
    path: str
    """File, absolute or relative to the data root."""


class ImageFolderData(Pixels, Carved):
    """Images in one sub-folder per class, or in `train`, `val`, `test` folders of such sub-folders."""

    name: Literal["image_folder"]
    path: str
    """Folder, absolute or relative to the data root."""
    size: Positive
    """Pixels per side; other images are resized (bilinear, antialiased) without keeping their aspect."""


DataConfig = Annotated[DigitsData | MedMnistData | NpzData | ImageFolderData, Field(discriminator="name")]


# --- models ----------------------------------------------------------------------------------------------------------


class SmallCnn(Strict):
    """Three 3 × 3 convolutions with BatchNorm and ReLU, global average pooling, one linear layer."""

    name: Literal["small_cnn"]
    width: Positive = 32
    """Channels of the first convolution; the others have twice as many."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout probability before the linear layer."""


class ResNet18(Strict):
    """ResNet-18 for 28-pixel images, as in MedMNIST's experiments: 3 × 3 stem with stride 1, no max-pooling."""

    name: Literal["resnet18"]
    width: Positive = 64
    """Channels of the first stage; the others have two, four and eight times as many. 64 is the published net."""


ModelConfig = Annotated[SmallCnn | ResNet18, Field(discriminator="name")]


# --- upstream augmentation -------------------------------------------------------------------------------------------


class Rotation(Strict):
    """Rotate every image by an angle drawn uniformly from [-degrees, degrees], bilinear."""

    name: Literal["rotation"]
    degrees: Annotated[float, Field(ge=0, le=180)] = 30.0
    fill: Share = 0.0
    """Intensity of the corners that come from outside the image, in [0, 1]."""


class CorruptLabels(Strict):
    """Give a share of the augmented samples a wrong label, drawn anew for every batch."""

    name: Literal["corrupt_labels"]
    share: Share
    """Probability that a sample's label is replaced."""
    to: Literal["next", "uniform"] = "next"
    """`next`: class k becomes k + 1 (mod K). `uniform`: any other class with equal probability."""


class Folder(Strict):
    """Samples made beforehand by any other program: each step draws a batch of them, with their own labels.

    Either one sub-folder per class, named by class number or class name, or a `labels.csv` with columns `file` and
    `label`. Images (PNG, JPEG) must have the data set's size; grey or colour as it is.
    """

    name: Literal["folder"]
    path: str
    """Folder, absolute or relative to the data root."""


class RandAugment(Strict):
    """`num_ops` operations per image, drawn uniformly with replacement (Cubuk et al. 2020), as torchvision does it."""

    name: Literal["randaugment"]
    num_ops: Positive = 2
    magnitude: Annotated[int, Field(ge=0)] = 9
    num_magnitude_bins: Annotated[int, Field(ge=2)] = 31
    fill: Share = 0.0
    """Intensity of what comes from outside the image."""

    @model_validator(mode="after")
    def _check_magnitude(self) -> "RandAugment":
        if self.magnitude >= self.num_magnitude_bins:
            raise ValueError(f"magnitude must be below num_magnitude_bins ({self.num_magnitude_bins})")
        return self


class Mixup(Strict):
    """Each sample mixed with another of its batch, labels likewise (Zhang et al. 2018)."""

    name: Literal["mixup"]
    alpha: Annotated[float, Field(gt=0)] = 1.0
    """The mixing share is Beta(alpha, alpha)."""
    per_sample: bool = False
    """A share for every sample, or one for the batch (as published)."""


class Crop(Strict):
    """Pad by `padding` pixels, crop a random window of the old size, flip horizontally with probability `flip`."""

    name: Literal["crop"]
    padding: Positive = 4
    flip: Share = 0.5
    fill: Share = 0.0
    """Intensity of the padding."""


AugmenterStep = Annotated[Rotation | CorruptLabels | Folder | RandAugment | Mixup | Crop, Field(discriminator="name")]


def _as_list(value: Any) -> Any:  # noqa: ANN401 - raw YAML
    return (value,) if isinstance(value, dict) else value


Augmenter = Annotated[tuple[AugmenterStep, ...], BeforeValidator(_as_list)]
"""One step, or a list of steps applied in order."""


# --- training --------------------------------------------------------------------------------------------------------


class Adam(Strict):
    """Adam, with the learning rate multiplied by `gamma` at each milestone (epochs, counted from 0)."""

    name: Literal["adam"]
    lr: Annotated[float, Field(gt=0)] = 1.0e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    milestones: tuple[Positive, ...] = ()
    gamma: Annotated[float, Field(gt=0)] = 0.1


class Sgd(Strict):
    """Stochastic gradient descent, with the same step schedule."""

    name: Literal["sgd"]
    lr: Annotated[float, Field(gt=0)]
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    milestones: tuple[Positive, ...] = ()
    gamma: Annotated[float, Field(gt=0)] = 0.1


OptimizerConfig = Annotated[Adam | Sgd, Field(discriminator="name")]


class Train(Strict):
    """How long and in which portions."""

    epochs: Positive
    batch_size: Annotated[int, Field(ge=2)]
    """The last batch of an epoch may be smaller; a last batch of one sample is left out (BatchNorm cannot use it)."""


class Selection(Strict):
    """The epoch whose weights are reported as `selected`: the first one with the best value. Test data never select."""

    metric: Literal["accuracy", "auroc", "loss"] = "accuracy"
    split: Literal["val"] = "val"


# --- methods ---------------------------------------------------------------------------------------------------------


def _with_label(raw: Any) -> Any:  # noqa: ANN401 - raw YAML
    if not isinstance(raw, dict) or "label" in raw:
        return raw
    parts = [raw.get("name"), raw.get("preset")]
    parts += ["trainval"] if raw.get("train_on") == ("train", "val") else []
    parts += ["clean"] if raw.get("clean_batch") is True else []
    return raw | {"label": "_".join(str(part) for part in parts if part)}


class MethodBase(Strict):
    """What every method may say."""

    label: Slug
    """Name in paths and tables; without it, made from the method's name, preset, `trainval` and `clean`."""
    train_on: TrainOn = ("train",)
    """`[train, val]` trains on both for the full number of epochs and reports the last: no selection is left."""
    augmenter: Augmenter | None = None
    """Replaces the recipe's augmenter for this method alone."""

    _label = model_validator(mode="before")(_with_label)


class NoAug(MethodBase):
    """Training data as they are."""

    name: Literal["no_aug"]

    @model_validator(mode="after")
    def _refuse_augmenter(self) -> "NoAug":
        if self.augmenter is not None:
            raise ValueError("no_aug has no augmenter; use the method upstream")
        return self


class Upstream(MethodBase):
    """The augmentation alone."""

    name: Literal["upstream"]
    clean_batch: bool = False
    """Mean of the loss on the clean batch and on the augmented batch, at equal weight."""


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
    preset: PresetName
    outer: Literal["val", "train", "train+val"] = "val"
    """The trusted data whose loss the weights and labels lower (E10)."""
    clean_batch: bool = False
    """As for `upstream` (E8)."""
    settings: SettingsFields
    """The preset with its overrides, resolved."""

    @model_validator(mode="before")
    @classmethod
    def _resolve_settings(cls, raw: Any) -> Any:  # noqa: ANN401 - raw YAML
        if not isinstance(raw, dict):
            return raw
        preset = PRESETS.get(raw.get("preset", ""))
        names = {field.name for field in fields(Settings)}
        given = raw.get("settings", {})
        if not isinstance(given, dict):
            return raw
        resolved = (asdict(preset) if preset else {}) | given
        resolved |= {key: value for key, value in raw.items() if key in names}
        return {key: value for key, value in raw.items() if key not in names} | {"settings": resolved}

    @model_validator(mode="after")
    def _check_settings(self) -> "SaflexMethod":
        self.resolved_settings()
        return self

    def resolved_settings(self) -> Settings:
        """The settings as the core takes them."""
        return Settings(**self.settings.model_dump())


MethodConfig = Annotated[NoAug | Upstream | SaflexMethod, Field(discriminator="name")]


class Recipe(Strict):
    """One comparison: everything that the compared methods share, and the methods."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]+(/[a-z0-9_-]+)*$")]
    """Path-like name; reports lie under it."""
    data: DataConfig
    model: ModelConfig
    augmenter: Augmenter | None = None
    """The upstream augmentation, shared by all methods except `no_aug`."""
    optimizer: OptimizerConfig
    train: Train
    selection: Selection = Selection()
    methods: Annotated[tuple[MethodConfig, ...], Field(min_length=1), AfterValidator(_all_different)]
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1), AfterValidator(_all_different)]
