"""The lines above a study that say what its numbers mean."""

from collections.abc import Iterator

from saflex_cli.config.metrics import METRIC_NAMES
from saflex_cli.config.study import Study
from saflex_cli.store.entries import LAST_EPOCH_MARK
from saflex_cli.store.studies.choice import Choice
from saflex_cli.store.studies.pack import sharing_key
from saflex_cli.store.studies.statistics import ALPHA
from saflex_cli.store.studies.table import StudyData


def notes(data: StudyData) -> Iterator[str]:
    """What the columns, ±, the epochs, the marks and the correction of this study mean."""
    study = data.study
    yield f"Columns: {study.axis}."
    yield _metric_note(data)
    if study.epoch == "last":
        yield "Every number is of the last epoch, for all methods alike."
    else:
        yield (
            "At the epoch that validation chose; where a side has none (trained on train+val), at the last epoch of "
            f"both ({LAST_EPOCH_MARK} on differences)."
        )
    yield "Differences are paired by seed, in points. Their intervals (t test) are not corrected."
    families = ", ".join(
        f"{len(data.tests(opponent))} against {study.title_of(opponent)}" for opponent in study.opponents
    )
    yield (
        f"Bold, wins and losses: significant at {ALPHA} after Holm's correction, one family per opponent, over all "
        f"cells and methods tested: {families}. Everything else that was tested is a tie: no proof of equality."
    )
    yield "Mean difference: over cells, each counted once, in points."
    if study.focus:
        named = " and ".join(study.title_of(label) for label in study.focus)
        yield f"Differences are printed for {named}; those of all methods are in {study.name}.csv."
    if study.facts:
        yield (
            "What SAFLEX did is over all steps and seeds. `weight` is before normalisation; `wrong` and `right` are "
            "the weights of samples with a wrong and with a right upstream label. `kept`: the learned label's class is "
            "the upstream's. `wrong mended`: of the wrong ones, it is the true class; `right kept`: of the right "
            "ones, it still is."
        )
    if shared := _shared(data):
        yield (
            f"{shared} of {data.study.runs} reports stand for a run that several cells share, because nothing that "
            "differs between the cells affects it: such cells are not independent."
        )
    if not data.is_complete:
        yield (
            f"Incomplete: {data.reports} of {study.runs} reports are there. n is the number of seeds that are "
            "there; the correction counts only what could be tested."
        )


def choice_notes(study: Study, choice: Choice) -> Iterator[str]:
    """The rule in words, and what it left out."""
    opponents = " or ".join(study.title_of(label) for label in choice.config.not_below)
    yield (
        f"Among the methods that use Π on the refined batch alone and whose step costs at most {choice.config.cost} "
        f"times the upstream's (on {choice.config.bench}): the fewest cells significantly below {opponents}, then the "
        "lowest mean rank."
    )
    if choice.too_dear:
        dear = ", ".join(f"{study.title_of(label)} ({cost:.2f})" for label, cost in choice.too_dear)
        yield f"Too dear: {dear}."
    if not choice.candidates:
        yield "Chosen: none; no method is cheap enough."
        return
    chosen = choice.candidates[0]
    where = f"; the cells below: {', '.join(chosen.below)}" if chosen.below else ""
    yield f"Chosen: {study.title_of(chosen.label)}{where}."


def _metric_note(data: StudyData) -> str:
    metrics = dict.fromkeys(curve.metric for curve in data.study.curves)
    counts = sorted({result.expected for cell in data.cells for result in cell.results.values()})
    seeds = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
    named = "; ".join(
        f"{METRIC_NAMES[metric]} of {', '.join(curve.title for curve in data.study.curves if curve.metric == metric)}"
        for metric in metrics
    )
    what = METRIC_NAMES[next(iter(metrics))] if len(metrics) == 1 else named
    spread = "; ± is the sample standard deviation over seeds" if counts[-1] > 1 else ""
    return f"Test {what} in percent, {seeds} seed{'s' if counts[-1] > 1 else ''}{spread}."


def _shared(data: StudyData) -> int:
    """Reports beyond the first of each distinct run."""
    runs = [
        sharing_key(cell.recipe, method, seed)
        for cell in data.study.cells
        for method in cell.recipe.methods
        for seed in cell.recipe.seeds_of(method)
    ]
    return len(runs) - len(set(runs))
