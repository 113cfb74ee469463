"""What a probe measures, by name: what its tables are called, and their rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from saflex_cli.config.probe_config import Decrease, Knowledge, Measure

SCORES = {
    "loss": "loss at the label",
    "margin": "margin of the label",
    "pi_head": "Π, head",
    "pi_head_centred": "Π, head, centred",
    "pi_head_correlation": "Π, head, correlation",
    "pi_head_train": "Π, head, training",
    "pi_all": "Π, all",
    "pi_all_train": "Π, all, training",
    "confident": "confident learning",
    "confident_outer": "confident, with outer set",
    "trusted": "classifier of outer set",
}
"""What suspects a label."""
PLAIN_SCORES = ("loss", "margin", "confident", "confident_outer", "trusted")
"""Those without Π."""
LABELS = {
    "pi_head": "argmax Π, head",
    "pi_head_centred": "argmax Π, head, centred",
    "pi_head_correlation": "argmax Π, head, corr.",
    "pi_head_train": "argmax Π, head, training",
    "pi_all": "argmax Π, all",
    "pi_all_train": "argmax Π, all, training",
    "prediction": "prediction",
    "proximal": "proximal",
    "proximal_train": "proximal, training",
    "bootstrap_1": "bootstrap, β = 1",
    "bootstrap_1_train": "bootstrap, 1, training",
    "bootstrap_2": "bootstrap, β = 2",
    "bootstrap_2_train": "bootstrap, 2, training",
    "trusted": "classifier of outer set",
}
"""What names a class."""
WEIGHTS = {
    "pi_head": "Π·ỹ ≥ 0, head",
    "pi_head_centred": "Π·ỹ ≥ 0, head, centred",
    "pi_head_correlation": "Π·ỹ ≥ 0, head, corr.",
    "pi_head_train": "Π·ỹ ≥ 0, head, training",
    "pi_all": "Π·ỹ ≥ 0, all",
    "pi_all_train": "Π·ỹ ≥ 0, all, training",
    "confident": "confident learning",
    "confident_outer": "confident, with outer set",
}
"""What keeps a sample or drops it."""
SOLUTIONS = {
    "exact": "best found",
    "paper": "paper",
    "lp": "lp",
    "theorem1": "theorem1",
    "weights_only": "weights_only",
    "proximal": "proximal",
    "bootstrap": "bootstrap (no Π)",
    "l2rw": "l2rw",
    "upstream": "upstream as it is",
    "true_labels": "true labels",
}
"""What gives weights and labels."""
SEARCH = {"gap": "Frank–Wolfe gap", "second": "second best start", "loss": "decrease / loss"}
"""What says how good the best found is."""
NORMALISATIONS = {"sum": "divided by Σw", "batch": "divided by the batch size"}


@dataclass(frozen=True)
class Section:
    """One table per case and trained method: rows by name, columns by epoch."""

    group: str
    subject: str
    rows: dict[str, str]
    """Title by name."""
    rate: float | None = None

    @property
    def heading(self) -> str:
        """The subject, and the step size where there are several."""
        return self.subject if self.rate is None else f"{self.subject}, α = {self.rate:g}"

    def key(self, name: str) -> str:
        """Where a moment holds the value."""
        return f"{self.group}/{name}" if self.rate is None else f"{self.group}/{self.rate:g}/{name}"


def sections(measure: Measure) -> tuple[Section, ...]:
    """The tables of a probe; every value is a fraction and printed in percent."""
    match measure:
        case Knowledge():
            return (
                Section("auc", "AUC for telling wrong from right labels", SCORES),
                Section("recovered", "Of the wrongly labelled: given their true class", LABELS),
                Section("kept", "Of the rightly labelled: given their true class", LABELS),
                Section("weight_wrong", "Of the wrongly labelled: kept", WEIGHTS),
                Section("weight_right", "Of the rightly labelled: kept", WEIGHTS),
                Section("model", "The model", {"test": "test accuracy", "memorised": "wrong labels predicted"}),
            )
        case Decrease():
            return (*_decreases(measure.rates), Section("model", "The model", {"test": "test accuracy"}))
        case _:
            assert_never(measure)


def _decreases(rates: tuple[float, ...]) -> Iterator[Section]:
    for how, divided in NORMALISATIONS.items():
        for where in ("outer", "test"):
            for rate in rates:
                yield Section(f"{how}/{where}", f"Decrease of the {where} loss, {divided}", SOLUTIONS, rate)
        for rate in rates:
            yield Section(f"{how}/search", f"The search, {divided}", SEARCH, rate)
