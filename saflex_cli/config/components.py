"""What a comparison is made of: data sets, models and upstream augmentations, as a recipe names them.

Field docstrings are the manual. Unknown keys are errors.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from saflex_cli.config.base import Dropout, Positive, Share, Strict
from saflex_cli.config.images import Carved, CubData, ImageFolderData, IWildCamData, Pixels
from saflex_cli.config.pool import PoolSamples
from saflex_cli.config.tabular import CsvData, TabularData
from saflex_cli.config.tabular_components import CellCutMix, ColumnCutMix, EmbeddingMixup, Saint

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


def _single_label(subset: Any) -> Any:  # noqa: ANN401 - raw YAML
    if subset == "chestmnist":
        raise ValueError("chestmnist is multi-label, and saflex trains on one class per image; take another set")
    return subset


class MedMnistData(Pixels):
    """A single-label 2-D set of MedMNIST v2 (Yang et al. 2023) in its official splits; the MD5 is always checked."""

    name: Literal["medmnist"]
    subset: Annotated[MedMnistSet, BeforeValidator(_single_label)]
    size: Literal[28, 64, 128, 224] = 28
    """Pixels per side of the official release."""


class NpzData(Pixels, Carved):
    """Any file in MedMNIST's format: `{train,val,test}_{images,labels}`, uint8 images (N, H, W) or (N, H, W, 3)."""

    name: Literal["npz"]
    path: str
    """File, absolute or relative to the data root."""


class GaussiansData(Strict):
    """Points in the plane: one round Gaussian per class, their centres evenly spaced on the unit circle."""

    name: Literal["gaussians"]
    classes: Annotated[int, Field(ge=2)] = 3
    train: Positive = 300
    """Points to train on, drawn class by class out of one pool that is the same for every seed."""
    val: Positive = 300
    test: Positive = 3000
    spread: Annotated[float, Field(gt=0)] = 0.25
    """Standard deviation about a centre, in each of the two directions."""
    split_seed: int | None = None
    """As for `digits`."""


DataConfig = Annotated[
    DigitsData
    | MedMnistData
    | NpzData
    | ImageFolderData
    | CubData
    | IWildCamData
    | GaussiansData
    | TabularData
    | CsvData,
    Field(discriminator="name"),
]


# --- models ----------------------------------------------------------------------------------------------------------


class SmallCnn(Strict):
    """Three 3 × 3 convolutions with BatchNorm and ReLU, global average pooling, one linear layer."""

    name: Literal["small_cnn"]
    width: Positive = 32
    """Channels of the first convolution; the others have twice as many."""
    dropout: Dropout = 0.0
    """Dropout probability before the linear layer."""


class ResNet18(Strict):
    """ResNet-18 for 28-pixel images, as in MedMNIST's experiments: 3 × 3 stem with stride 1, no max-pooling."""

    name: Literal["resnet18"]
    width: Positive = 64
    """Channels of the first stage; the others have two, four and eight times as many. 64 is the published net."""


class Mlp(Strict):
    """Linear layers with ReLU between them, for vectors and tables; the values of an image are taken in a row."""

    name: Literal["mlp"]
    hidden: tuple[Positive, ...] = (64, 64)
    """Width of each hidden layer."""
    dropout: Dropout = 0.0
    """Dropout probability after each hidden layer."""
    batch_norm: bool = False
    """BatchNorm after each hidden linear layer, before its ReLU."""
    embedding: Literal["auto"] | Positive = "auto"
    """Width of the embedding of a categorical column; `auto`: half its number of codes, rounded up, at most 50."""
    missing_indicator: bool = False
    """Of tables: one more input per continuous column, 1 where its value is missing. Missing values are 0 either way:
    the training mean of a standardised column."""


class Vit(Strict):
    """A small vision transformer: square patches, a class token, blocks of attention, one linear layer."""

    name: Literal["vit"]
    patch: Positive = 4
    """Side of a patch in pixels; it divides the image's."""
    dim: Positive = 64
    depth: Positive = 4
    heads: Positive = 4

    @model_validator(mode="after")
    def _check_heads(self) -> "Vit":
        if self.dim % self.heads:
            raise ValueError(f"dim must be a multiple of heads ({self.heads})")
        return self


ModelConfig = Annotated[SmallCnn | ResNet18 | Mlp | Vit | Saint, Field(discriminator="name")]


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


class WildsRandAugment(Strict):
    """RandAugment as the WILDS benchmark trains with it: every magnitude is drawn anew, and a cutout comes last."""

    name: Literal["randaugment_wilds"]
    num_ops: Positive = 2
    """Drawn uniformly with replacement from 14."""
    flip: Share = 0.5
    """Probability of a mirror image before the operations."""
    cutout: Share = 0.5
    """Largest side of the cutout as a share of the width; its side is uniform from 0 on."""


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


class SoftCrop(Strict):
    """Soft-Augmentation (Liu et al. 2023): a far shift, after which label and weight say how much is left to see.

    Defaults as published (youngleox/soft_augmentation at 1dcf469), with σ as a share of the side.
    """

    name: Literal["soft_crop"]
    sigma: Annotated[float, Field(gt=0)] = 0.375
    """Standard deviation of the shift, as a share of the side: 12 of 32 pixels as published, 10.5 of 28."""
    power: Annotated[float, Field(gt=0)] = 2.0
    """k of the confidence 1 − (1 − 1/K)(1 − v)^k, where v is the share of the image that is left to see."""
    flip: Share = 0.5
    fill: Share = 0.5
    """Intensity of what comes from outside; published: within a hundredth of a deviation of the mean."""
    narrow_from: Positive | None = None
    """From this epoch on (counted from 0) σ is a thousandth; published: the last 4 % of the epochs."""


class GaussianNoise(Strict):
    """Add N(0, std²) to every value of every sample."""

    name: Literal["gaussian_noise"]
    std: Annotated[float, Field(gt=0)]
    """In the inputs' own units; for images in units of intensity, from 0 to 1, where the sum is clamped."""


AugmenterStep = Annotated[
    Rotation
    | CorruptLabels
    | Folder
    | PoolSamples
    | RandAugment
    | WildsRandAugment
    | Mixup
    | Crop
    | SoftCrop
    | GaussianNoise
    | CellCutMix
    | ColumnCutMix
    | EmbeddingMixup,
    Field(discriminator="name"),
]


def _as_list(value: Any) -> Any:  # noqa: ANN401 - raw YAML
    return (value,) if isinstance(value, dict) else value


Augmenter = Annotated[tuple[AugmenterStep, ...], BeforeValidator(_as_list)]
"""One step, or a list of steps applied in order."""
