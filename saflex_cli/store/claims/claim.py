"""What a claim is, what is found about it, and the verdict that follows."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from saflex_cli.store.claims.evidence import Evidence
from saflex_cli.store.claims.measured import Measured
from saflex_cli.store.claims.printed import Printed


class Verdict(StrEnum):
    """What the printed numbers say about a claim."""

    TRUE = "true"
    FALSE = "false"
    DEPENDS = "depends on the reading"
    NOT_CHECKABLE = "not checkable from the tables"


@dataclass(frozen=True)
class Reading:
    """One exact statement that the claim's words can mean, and whether the printed numbers bear it out."""

    text: str
    """The statement with the numbers that decide it."""
    holds: bool


@dataclass(frozen=True)
class Finding:
    """What the printed numbers say about one claim."""

    readings: tuple[Reading, ...] = ()
    notes: tuple[str, ...] = ()
    """What follows as well, and does not enter the verdict; without readings, why nothing can be checked."""

    @property
    def verdict(self) -> Verdict:
        """True or false where all readings agree."""
        if not self.readings:
            return Verdict.NOT_CHECKABLE
        held = {reading.holds for reading in self.readings}
        if len(held) > 1:
            return Verdict.DEPENDS
        return Verdict.TRUE if held == {True} else Verdict.FALSE


@dataclass(frozen=True)
class Claim:
    """One claim of the paper's text."""

    title: str
    where: str
    """Section, table or appendix."""
    says: str
    """The claim in our words."""
    check: Callable[[Printed], Finding]
    evidence: Callable[[Measured], tuple[Evidence, ...]] | None = None
    """From our own reports, empty while there are none; None where no report could speak to the claim."""


@dataclass(frozen=True)
class Remark:
    """Something that follows from the printed numbers and is no claim of the paper."""

    title: str
    lines: Callable[[Printed], tuple[str, ...]]


@dataclass(frozen=True)
class Chapter:
    """Claims about one subject."""

    title: str
    claims: tuple[Claim, ...]
