"""The real numbers of the paper, and claims by their titles."""

from pathlib import Path

import pytest

from saflex_cli.store.claims.claim import Claim
from saflex_cli.store.claims.document import CHAPTERS
from saflex_cli.store.claims.printed import Printed

TABLES = Path(__file__).parents[3] / "recipes" / "tables"


@pytest.fixture(scope="session")
def printed() -> Printed:
    return Printed.read(TABLES / "published.csv")


def find_claim(title: str) -> Claim:
    return next(claim for chapter in CHAPTERS for claim in chapter.claims if claim.title == title)
