"""Facts about the official 28-pixel MedMNIST files (Yang et al. 2023), so that they can be verified offline.

Source: `INFO` of the package medmnist 3.0.2 (medmnist/info.py); for the older Organ files, `INFO` of medmnist 2.1.0.
Version 2.2.4 removed blank images from the three Organ sets, so that results published before it may be on older files.
"""

from dataclasses import dataclass

from saflex_cli.config.components import MedMnistSet

RECORD = "https://zenodo.org/records/10519652"
"""Where the official files are, in all sizes."""

Sizes = tuple[int, int, int]
"""Images in train, val and test."""


@dataclass(frozen=True)
class Facts:
    """One official file."""

    md5: str
    sizes: Sizes
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class Older:
    """The same set in an earlier release."""

    md5: str
    sizes: Sizes


_ORGANS = (
    "bladder",
    "femur-left",
    "femur-right",
    "heart",
    "kidney-left",
    "kidney-right",
    "liver",
    "lung-left",
    "lung-right",
    "pancreas",
    "spleen",
)

FACTS: dict[MedMnistSet, Facts] = {
    "pathmnist": Facts(
        md5="a8b06965200029087d5bd730944a56c1",
        sizes=(89_996, 10_004, 7_180),
        class_names=(
            "adipose",
            "background",
            "debris",
            "lymphocytes",
            "mucus",
            "smooth muscle",
            "normal colon mucosa",
            "cancer-associated stroma",
            "colorectal adenocarcinoma epithelium",
        ),
    ),
    "dermamnist": Facts(
        md5="0744692d530f8e62ec473284d019b0c7",
        sizes=(7_007, 1_003, 2_005),
        class_names=(
            "actinic keratoses and intraepithelial carcinoma",
            "basal cell carcinoma",
            "benign keratosis-like lesions",
            "dermatofibroma",
            "melanoma",
            "melanocytic nevi",
            "vascular lesions",
        ),
    ),
    "octmnist": Facts(
        md5="c68d92d5b585d8d81f7112f81e2d0842",
        sizes=(97_477, 10_832, 1_000),
        class_names=("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    ),
    "pneumoniamnist": Facts(
        md5="28209eda62fecd6e6a2d98b1501bb15f", sizes=(4_708, 524, 624), class_names=("normal", "pneumonia")
    ),
    "retinamnist": Facts(
        md5="bd4c0672f1bba3e3a89f0e4e876791e4", sizes=(1_080, 120, 400), class_names=("0", "1", "2", "3", "4")
    ),
    "breastmnist": Facts(
        md5="750601b1f35ba3300ea97c75c52ff8f6", sizes=(546, 78, 156), class_names=("malignant", "normal, benign")
    ),
    "bloodmnist": Facts(
        md5="7053d0359d879ad8a5505303e11de1dc",
        sizes=(11_959, 1_712, 3_421),
        class_names=(
            "basophil",
            "eosinophil",
            "erythroblast",
            "immature granulocytes(myelocytes, metamyelocytes and promyelocytes)",
            "lymphocyte",
            "monocyte",
            "neutrophil",
            "platelet",
        ),
    ),
    "tissuemnist": Facts(
        md5="ebe78ee8b05294063de985d821c1c34b",
        sizes=(165_466, 23_640, 47_280),
        class_names=(
            "Collecting Duct, Connecting Tubule",
            "Distal Convoluted Tubule",
            "Glomerular endothelial cells",
            "Interstitial endothelial cells",
            "Leukocytes",
            "Podocytes",
            "Proximal Tubule Segments",
            "Thick Ascending Limb",
        ),
    ),
    "organamnist": Facts(md5="68e3f8846a6bd62f0c9bf841c0d9eacc", sizes=(34_561, 6_491, 17_778), class_names=_ORGANS),
    "organcmnist": Facts(md5="b9ceb9546e10131b32923c5bbeaea2b1", sizes=(12_975, 2_392, 8_216), class_names=_ORGANS),
    "organsmnist": Facts(md5="9ab87b696fb54e2a387ebe992d6ed5f1", sizes=(13_932, 2_452, 8_827), class_names=_ORGANS),
}

OLDER: dict[MedMnistSet, Older] = {
    "organamnist": Older("866b832ed4eeba67bfb9edee1d5544e6", (34_581, 6_491, 17_778)),
    "organcmnist": Older("0afa5834fb105f7705a7d93372119a21", (13_000, 2_392, 8_268)),
    "organsmnist": Older("e5c39f1af030238290b9557d9503af9d", (13_940, 2_452, 8_829)),
}
