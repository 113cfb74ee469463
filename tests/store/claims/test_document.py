import re

import pytest

from saflex_cli.store.claims.document import CHAPTERS, render_claims
from saflex_cli.store.claims.measured import Measured
from saflex_cli.store.claims.printed import Printed
from saflex_cli.store.claims.remarks import REMARKS


@pytest.fixture(scope="module")
def document(printed: Printed) -> str:
    return render_claims(printed, Measured())


def test_every_claim_has_its_number_verdict_and_place(printed: Printed, document: str):
    claims = [claim for chapter in CHAPTERS for claim in chapter.claims]
    headings = re.findall(r"^### (\d+)\. (.+)$", document, flags=re.MULTILINE)
    assert headings == [(str(n), f"{c.title}: {c.check(printed).verdict}") for n, c in enumerate(claims, start=1)]
    flat = " ".join(document.split())
    assert all(f"*{claim.where}.*" in flat for claim in claims)


def test_the_summary_counts_every_claim_once(document: str):
    summary = document[: document.index("## ")].rpartition("claims:")[2]
    numbers = [int(n) for group in re.findall(r"\(([\d,\s]+)\)", summary) for n in group.split(",")]
    assert sorted(numbers) == list(range(1, document.count("\n### ") - len(REMARKS) + 1))


def test_readings_say_whether_they_hold(document: str):
    block = document[document.index("Volkert: depends") :].partition("###")[0]
    assert "- does not hold: MLP" in block
    assert "- holds: SAINT" in block


def test_without_reports_nothing_is_claimed_to_be_measured(document: str):
    assert "- *ours*: none yet" in document
    assert "*ours*, " not in document


def test_lines_are_short_and_numbers_keep_their_percent_sign(document: str):
    lines = document.splitlines()
    assert max(map(len, lines)) <= 100
    assert not [line for line in lines if line.lstrip().startswith("%") or "\0" in line]
