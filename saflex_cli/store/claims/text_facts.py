"""Numbers that the paper prints outside its results tables: in the text and in Table 5."""

from dataclasses import dataclass

from saflex_cli.config.components import MedMnistSet

MEDICAL_SETS: tuple[MedMnistSet, ...] = (
    "pathmnist",
    "dermamnist",
    "tissuemnist",
    "bloodmnist",
    "octmnist",
    "organamnist",
    "organcmnist",
    "organsmnist",
)
"""The columns of Table 1."""

OVERHEAD = 42
OVERHEAD_RANDAUGMENT = 54
OVERHEAD_MIXUP = 31
"""Wall-clock overheads per epoch on MedMNIST in percent (Section 5, Appendix C)."""

OVERHEAD_TABULAR = 81
"""The same on the tabular sets (Appendix C)."""


@dataclass(frozen=True)
class TabularSet:
    """A line of Table 5."""

    features: int
    categorical: int
    continuous: int
    size: int
    classes: int = 2
    positives: int = 0
    """0 where none are printed, as for the set with ten classes."""
    negatives: int = 0
    positive_percent: str = ""
    """As printed, with two decimals."""


TABLE_5 = {
    "appetency": TabularSet(39, 3, 36, 494_021, 2, 97_278, 396_743, "19.69"),
    "arrhythmia": TabularSet(226, 0, 226, 452, 2, 66, 386, "14.60"),
    "click": TabularSet(12, 7, 5, 39_948, 2, 6_728, 33_220, "16.84"),
    "credit": TabularSet(29, 0, 29, 284_807, 2, 492, 284_315, "0.17"),
    "qsar": TabularSet(41, 0, 41, 1_055, 2, 356, 699, "33.74"),
    "shrutime": TabularSet(11, 3, 8, 10_000, 2, 2_037, 7_963, "20.37"),
    "volkert": TabularSet(147, 0, 147, 58_310, 10),
}
