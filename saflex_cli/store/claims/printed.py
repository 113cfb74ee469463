"""The printed numbers as exact decimals, and differences between the rows of the paper's tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import NamedTuple

from saflex_cli.errors import RecipeError
from saflex_cli.store.published import Published, PublishedKey, read_published

TITLES = {
    "pathmnist": "Path",
    "dermamnist": "Derma",
    "tissuemnist": "Tissue",
    "bloodmnist": "Blood",
    "octmnist": "OCT",
    "organamnist": "OrganA",
    "organcmnist": "OrganC",
    "organsmnist": "OrganS",
    "qsar": "QSAR",
    "cub_fine_grained": "fine-grained",
    "iwildcam_ood": "OOD",
    "iwildcam_id": "ID",
    "iwildcam_id_ensembled": "ID ensembled",
    "iwildcam_ood_ensembled": "OOD ensembled",
    "mlp": "MLP",
    "saint": "SAINT",
    "no_aug": "no augmentation",
    "randaugment": "RandAugment",
    "crop": "crop",
    "soft_augmentation_crop": "Soft-Augmentation",
    "lp_a3": "LP-A3",
    "zero_shot": "zero-shot",
    "lp_ft": "LP-FT",
    "mixup": "Mixup",
    "cutmix": "CutMix",
    "instructpix2pix": "InstructPix2Pix",
    "img2img": "Img2Img without fine-tuning",
    "img2img_finetuned": "Img2Img with fine-tuning",
    "flyp_randaugment": "RandAugment",
}
"""Names of columns, backbones and methods as they are read; others are capitalised."""

REFINED = "saflex_"
"""What the label of a SAFLEX row begins with; the rest of it is the row of its upstream augmentation."""


class Row(NamedTuple):
    """A method's row in one of the paper's tables."""

    table: str
    method: str


@dataclass(frozen=True)
class Gain:
    """A printed value minus another of the same column, in points."""

    column: str
    backbone: str
    method: str
    """Of the first value."""
    ours: Decimal
    theirs: Decimal
    pooled: Decimal
    """√((a² + b²) / 2) of the two numbers after ±."""

    @property
    def points(self) -> Decimal:
        """The difference, exact."""
        return self.ours - self.theirs

    @property
    def is_beyond(self) -> bool:
        """Whether the difference, in either direction, exceeds twice the pooled ±."""
        return abs(self.points) > 2 * self.pooled


class Printed:
    """The tables of the paper, as `published.csv` holds them."""

    def __init__(self, numbers: Mapping[PublishedKey, Published]) -> None:
        self.numbers = numbers

    @classmethod
    def read(cls, path: Path) -> "Printed":
        """Read `published.csv`.

        Raises:
            RecipeError: if the file is missing, or a line of it has another form.
        """
        return cls(read_published(path))

    def gains(self, ours: Row, theirs: Row, backbone: str | None = None) -> tuple[Gain, ...]:
        """The first row minus the second in every column that prints both, in the order of the file.

        Raises:
            RecipeError: if no column does: a statement about nothing would hold.
        """
        gains = tuple(
            _gain(key, number, self.numbers[other])
            for key, number in self.numbers.items()
            if (key.table, key.method) == ours and backbone in (None, key.backbone)
            if (other := key._replace(table=theirs.table, method=theirs.method)) in self.numbers
        )
        if not gains:
            raise RecipeError(f"published.csv: no column has both {'/'.join(ours)} and {'/'.join(theirs)}")
        return gains

    def refinements(self, *tables: str, backbone: str | None = None) -> tuple[Gain, ...]:
        """Every SAFLEX row of these tables minus the row of its upstream augmentation."""
        rows = dict.fromkeys(Row(key.table, key.method) for key in self.numbers if key.method.startswith(REFINED))
        return tuple(
            gain
            for row in rows
            if row.table in tables
            for gain in self.gains(row, Row(row.table, row.method.removeprefix(REFINED)), backbone)
        )

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of a table."""
        return tuple(dict.fromkeys(key.column for key in self.numbers if key.table == table))


def _gain(key: PublishedKey, ours: Published, theirs: Published) -> Gain:
    a, b = (Decimal(str(number.std)) for number in (ours, theirs))
    pooled = ((a * a + b * b) / 2).sqrt()
    return Gain(key.column, key.backbone, key.method, exact(key.table, ours), exact(key.table, theirs), pooled)


def exact(table: str, number: Published) -> Decimal:
    """The mean with the digits that were printed: one place in Table 4, two elsewhere."""
    return Decimal(str(number.mean)).quantize(Decimal("0.1" if table == "4" else "0.01"))


def better(first: Iterable[Gain], second: Iterable[Gain]) -> tuple[Gain, ...]:
    """Of two rows against the same third one, the higher value in every column."""
    return tuple(max(pair, key=lambda gain: gain.ours) for pair in zip(first, second, strict=True))


def mean(numbers: Iterable[Decimal]) -> Decimal:
    """The arithmetic mean."""
    listed = list(numbers)
    return sum(listed, Decimal()) / len(listed)


def mean_points(gains: Iterable[Gain]) -> Decimal:
    """The mean difference, every column counted once."""
    return mean(gain.points for gain in gains)


def rounded(number: Decimal, places: int = 2) -> str:
    """Rounded as on paper: halves go up."""
    return str(number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def signed(number: Decimal, places: int = 2) -> str:
    """`+1.71`."""
    text = rounded(number, places)
    return text if text.startswith("-") else f"+{text}"


def title(word: str) -> str:
    """How a column, a backbone or a method is called."""
    return TITLES.get(word, word.capitalize())


def above(gains: Iterable[Gain]) -> tuple[Gain, ...]:
    """Those in which the first value is higher."""
    return tuple(gain for gain in gains if gain.points > 0)


def not_above(gains: Iterable[Gain]) -> tuple[Gain, ...]:
    """The others."""
    return tuple(gain for gain in gains if gain.points <= 0)


def beyond(gains: Iterable[Gain]) -> tuple[Gain, ...]:
    """Those that exceed twice the pooled ± in either direction."""
    return tuple(gain for gain in gains if gain.is_beyond)


def count(part: Iterable[Gain], gains: Iterable[Gain]) -> str:
    """`14 of 16`."""
    return f"{len(tuple(part))} of {len(tuple(gains))}"


def listed(gains: Iterable[Gain], qualifier: str = "method") -> str:
    """`Tissue with RandAugment (64.32 against 68.28, -3.96)`, joined by semicolons; `none` if there is none.

    Args:
        gains: What is listed.
        qualifier: The field of a gain that tells columns of the same name apart; empty for none.
    """
    texts = []
    for gain in gains:
        with_what = f" with {title(getattr(gain, qualifier).removeprefix(REFINED))}" if qualifier else ""
        texts.append(f"{title(gain.column)}{with_what} ({gain.ours} against {gain.theirs}, {gain.points:+})")
    return "; ".join(texts) or "none"
