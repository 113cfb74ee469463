"""Data sets of image files, as a recipe names them, and what they have in common."""

from typing import Annotated, Literal

from pydantic import Field

from saflex_cli.config.base import Positive, Strict

Fit = Literal["stretch", "crop"]
"""`stretch`: resized to the square whatever the shape, bilinear. `crop`: the shorter side resized, bicubic, and the
middle cut out, as CLIP's own preparation does it. Both antialiased."""
IWildCamSplit = Literal["train", "val", "test", "id_val", "id_test"]


class Pixels(Strict):
    """How images of 0…255 become inputs, for every data set read from files."""

    rgb: bool = False
    """Grey images get three equal channels. Colour images have three in any case."""
    mean: float = 0.5
    """Subtracted from intensities in [0, 1], the same for all channels."""
    std: Annotated[float, Field(gt=0)] = 0.5
    """Divides what is left."""


class Carved(Strict):
    """How splits that a source lacks are carved out of `train`, class by class."""

    val_share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of the training samples that become `val` where there is none."""
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of the training samples that become `test` where there is none; taken first."""
    split_seed: int = 0
    """The carved splits are the same for every run seed."""


class ImageFolderData(Pixels, Carved):
    """Images in one sub-folder per class, or in `train`, `val`, `test` folders of such sub-folders."""

    name: Literal["image_folder"]
    path: str
    """Folder, absolute or relative to the data root."""
    size: Positive
    """Pixels per side; other images are resized (bilinear, antialiased) without keeping their aspect."""
    fit: Fit = "stretch"
    """How other shapes become square."""
    class_names: str | None = None
    """File with names for the sub-folders, which prompts and tables then use, absolute or relative to the data root:
    one name per line in alphabetical order of the sub-folders, or a CSV file with the columns `class` and `name`."""


class CubData(Pixels):
    """Caltech-UCSD Birds-200-2011 in its official layout (`images.txt`, …, `images/`), decoded once into memory."""

    name: Literal["cub"]
    path: str = "CUB_200_2011"
    """Folder, absolute or relative to the data root."""
    size: Positive
    """Pixels per side."""
    fit: Fit = "stretch"
    """How other shapes become square."""
    classes: tuple[str, ...] = ()
    """Which of the 200 classes, by name (`Cardinal`) or as `classes.txt` has them (`017.Cardinal`); none given: all."""
    held_back: Annotated[int, Field(ge=0)] = 0
    """So many of the official training images of every class, the last in `images.txt`, are left out of everything;
    5 leaves the 4,994 that ALIA trains on, and those 1,000 are its extra real images."""
    val_share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of the training images that become `val`, class by class: the official split has none."""
    split_seed: int = 0
    """The carved split is the same for every run seed."""
    allow_missing: bool = False
    """Leave out images that the folder lacks, and say how many, instead of refusing them."""


class IWildCamData(Pixels):
    """iWildCam2020-WILDS, release v2.0 (Koh et al. 2021): `metadata.csv` and `train/<filename>`, decoded when used."""

    name: Literal["iwildcam"]
    path: str = "iwildcam_v2.0"
    """Folder, absolute or relative to the data root."""
    class_names: str = "iwildcam/iwildcam_labels.csv"
    """Table with the columns `y` and `english`; classes are the rows with y below 99999, of which there are 182."""
    size: Positive = 224
    """Pixels per side."""
    fit: Fit = "crop"
    """How other shapes become square."""
    train: IWildCamSplit = "train"
    val: IWildCamSplit = "id_val"
    test: IWildCamSplit = "id_test"
    """Which of WILDS' splits are trained on, selected by and reported; `val` and `test` are from other cameras."""
    missing: Literal["refuse", "skip"] = "refuse"
    """What happens to images that are not there: an error, or a note that counts what is left out."""
    check: Literal["exists", "decode"] = "exists"
    """Before training: whether every file is there, or whether it can be decoded, too, which takes minutes."""
