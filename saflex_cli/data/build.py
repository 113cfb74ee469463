"""From a recipe's `data` to splits."""

from saflex_cli.config.schema import DataConfig
from saflex_cli.data.digits import digits
from saflex_cli.data.splits import Splits, checked_splits


def build_data(config: DataConfig, seed: int) -> Splits:
    """Load, split and check the data of one run, on the CPU.

    Raises:
        DataError: if the data are missing, malformed or cannot be split as asked.
    """
    return checked_splits(digits(config, seed), source=config.name)
