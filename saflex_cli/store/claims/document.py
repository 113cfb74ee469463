"""The document of all claims: assembled, rendered as Markdown, compared with the committed file."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from textwrap import fill

from saflex_cli.store.claims.claim import Chapter, Claim, Remark, Verdict
from saflex_cli.store.claims.cost import COST
from saflex_cli.store.claims.evidence import Evidence
from saflex_cli.store.claims.measured import Measured
from saflex_cli.store.claims.medical import MEDICAL
from saflex_cli.store.claims.natural import CLIP, DIFFUSION
from saflex_cli.store.claims.overall import OVERALL
from saflex_cli.store.claims.printed import Printed
from saflex_cli.store.claims.remarks import REMARKS
from saflex_cli.store.claims.soft_augmentation import SOFT_AUGMENTATION
from saflex_cli.store.claims.tabular import TABULAR

CHAPTERS: tuple[Chapter, ...] = (OVERALL, MEDICAL, SOFT_AUGMENTATION, TABULAR, DIFFUSION, CLIP, COST)

COMMAND = "saflex claims --write"

_WIDTH = 100

_INTRODUCTION = """\
The claims of Ding et al., *SAFLEX: Self-Adaptive Augmentation via Feature Label Extrapolation* (ICLR 2024, \
arXiv:2410.02512) that state or compare numbers, computed anew from the numbers that the paper prints \
([recipes/tables/published.csv](../recipes/tables/published.csv)). A verdict says whether the paper's text agrees with \
the paper's tables, and nothing about whether the experiments come out the same when repeated. That is what the lines \
marked *ours* are for: our own reports where there are any.

- Verdicts are derived by code. Where the words of a claim can mean several things, every reading has its own result, \
and the verdict is true or false only where all of them agree.
- Differences are in percentage points, exact from the printed digits; averages count every printed difference once.
- The paper does not say what its ± is, nor over how many runs. The pooled ± of a and b is √((a² + b²) / 2), and twice \
that is a yardstick here, not a test. If ± were a standard deviation over n runs each, a t test at 5 % would ask for \
2.27 times the pooled ± at n = 3, and for 1.46 times at n = 5.
- *Ours*: test accuracy at the epoch that validation chose, paired by seed. Clear means that the 95 % interval of the \
paired difference excludes 0, without a correction for the number of comparisons. `saflex_paper` is the algorithm as \
printed, other presets are repairs of ours. Sets that are not in the paper, and protocols other than its 100 epochs at \
full width, neither confirm nor refute a printed number. Studies have a page of their own \
([docs/method-study.md](method-study.md))."""


def render_claims(printed: Printed, measured: Measured) -> str:
    """The whole document.

    Raises:
        RecipeError: if the printed numbers lack a row that a claim is about.
    """
    numbers = count(1)
    numbered = [(next(numbers), chapter, claim) for chapter in CHAPTERS for claim in chapter.claims]
    verdicts = {number: claim.check(printed).verdict for number, _, claim in numbered}
    parts = ["# The paper's claims, recomputed", _wrap(_INTRODUCTION), _summary(verdicts)]
    for chapter in CHAPTERS:
        parts.append(f"## {chapter.title}")
        parts += [_claim(number, claim, printed, measured) for number, own, claim in numbered if own is chapter]
    parts += ["## What else follows from the printed numbers", *(_remark(remark, printed) for remark in REMARKS)]
    parts.append(f"Written by `{COMMAND}`; do not edit.")
    return "\n\n".join(parts) + "\n"


def _summary(verdicts: dict[int, Verdict]) -> str:
    counts = Counter(verdicts.values())
    lines = [f"The {len(verdicts)} claims:", ""]
    for verdict in Verdict:
        own = ", ".join(str(number) for number, found in verdicts.items() if found is verdict)
        lines.append(_bullet(f"{verdict}: {counts[verdict]}" + (f" ({own})" if own else "")))
    return "\n".join(lines)


def _claim(number: int, claim: Claim, printed: Printed, measured: Measured) -> str:
    finding = claim.check(printed)
    lines = [f"### {number}. {claim.title}: {finding.verdict}", "", _wrap(f"{claim.says} *{claim.where}.*"), ""]
    lines += [
        _bullet(f"{'holds' if reading.holds else 'does not hold'}: {reading.text}") for reading in finding.readings
    ]
    lines += [_bullet(note) for note in finding.notes]
    if claim.evidence is not None:
        lines += _evidence(claim.evidence(measured))
    return "\n".join(lines)


def _evidence(found: Sequence[Evidence]) -> Iterator[str]:
    if not found:
        yield "- *ours*: none yet"
    for evidence in found:
        yield _bullet(f"*ours*, {evidence.setting}:")
        yield from (_bullet(line, indent="  ") for line in evidence.lines)


def _remark(remark: Remark, printed: Printed) -> str:
    return "\n".join([f"### {remark.title}", "", *map(_bullet, remark.lines(printed))])


def _bullet(text: str, indent: str = "") -> str:
    return _fill(text, first=f"{indent}- ", others=f"{indent}  ")


def _wrap(text: str) -> str:
    """Paragraphs, and list items that begin with `- `; one line of the text each."""
    return "\n".join(
        _bullet(line.removeprefix("- ")) if line.startswith("- ") else _fill(line) for line in text.split("\n")
    )


def _fill(text: str, first: str = "", others: str = "") -> str:
    """Lines of at most `_WIDTH` characters; a number is not parted from its percent sign."""
    joined = text.replace(" %", "\0%")
    filled = fill(
        joined, _WIDTH, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False
    )
    return filled.replace("\0%", " %")
