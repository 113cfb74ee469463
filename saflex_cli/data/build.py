"""From a recipe's `data` to splits."""

from pathlib import Path

from saflex_cli.config.components import DataConfig, DigitsData, GaussiansData, MedMnistData, NpzData
from saflex_cli.config.images import CubData, ImageFolderData, IWildCamData
from saflex_cli.config.tabular import CsvData, TabularData
from saflex_cli.data.cub import cub
from saflex_cli.data.digits import digits
from saflex_cli.data.gaussians import gaussians
from saflex_cli.data.image_folder import image_folder
from saflex_cli.data.iwildcam import iwildcam
from saflex_cli.data.medmnist import medmnist
from saflex_cli.data.npz import npz
from saflex_cli.data.splits import Splits, checked_splits
from saflex_cli.data.tables.load import tabular


def build_data(config: DataConfig, seed: int, root: Path) -> Splits:
    """Load, split and check the data of one run, on the CPU.

    Args:
        config: The recipe's `data`.
        seed: Of the run; only `digits`, `gaussians` and tables without a `split_seed` depend on it.
        root: The folder with data sets.

    Raises:
        DataError: if the data are missing, malformed or cannot be split as asked.
    """
    return checked_splits(_load(config, seed, root), source=config.name)


def _load(config: DataConfig, seed: int, root: Path) -> Splits:
    match config:
        case DigitsData():
            return digits(config, seed)
        case MedMnistData():
            return medmnist(config, root)
        case NpzData():
            return npz(config, root)
        case ImageFolderData():
            return image_folder(config, root)
        case CubData():
            return cub(config, root)
        case IWildCamData():
            return iwildcam(config, root)
        case GaussiansData():
            return gaussians(config, seed)
        case TabularData() | CsvData():
            return tabular(config, seed, root)
