"""One finished run: raw values with their provenance."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from saflex_cli.config.metrics import SelectionMetric


class Record(BaseModel):
    """Base of what is written to results: frozen, no unknown fields, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Metrics(Record):
    """Values on one split, as fractions (not percent)."""

    accuracy: Annotated[float, Field(ge=0, le=1)]
    auroc: Annotated[float, Field(ge=0, le=1)]
    """One against the rest, averaged over the classes (macro); equal to scikit-learn's."""
    macro_f1: Annotated[float, Field(ge=0, le=1)] | None = None
    """Averaged over the classes that the split holds; None in reports from before it was recorded."""
    loss: float
    """Mean cross-entropy in nats."""


class Scores(Record):
    """One state of the model: the selected epoch or the last one."""

    epoch: int
    """Epochs trained when this state was taken, from 1."""
    val: Metrics | None
    """None where the validation set was trained on."""
    test: Metrics


class Selected(Scores):
    """The state that validation chose."""

    metric: SelectionMetric
    split: Literal["val"]


class PoolFacts(Record):
    """Samples taken out of the training split, of which some are wrong: counts."""

    size: int
    wrong_labels: int
    wrong_inputs: int
    wrong_both: int
    """Counted in both of the above."""


class DataFacts(Record):
    """What was trained and evaluated on."""

    train: int
    val: int
    test: int
    classes: int
    sha256: str
    """Of the data as loaded, before splitting."""
    md5: str | None = None
    """Of the official file, verified, where the source publishes one."""
    pools: tuple[str, ...] = ()
    """SHA-256 of the pre-made samples of each folder of the augmenter, as decoded."""
    duplicates_across_splits: int | None = None
    """Of tables: rows of val and test that equal a row of train in every feature."""
    noisy_pool: PoolFacts | None = None
    """Of the recipe's `pool`, whose samples `train` does not count."""


class LabelFacts(Record):
    """What SAFLEX did to wrong and to right upstream labels, over all samples of all steps.

    A label counts as the class of its largest entry. Of a step `pool`, samples with wrong inputs have no class.
    """

    wrong: int
    """Samples whose upstream label is not their true class."""
    right: int
    classless: int
    """Samples of no class."""
    mean_weight_wrong: float | None
    """Before normalisation; None, as below, where there are no such samples."""
    mean_weight_right: float | None
    mean_weight_classless: float | None
    recovered: float | None
    """Share of the wrong whose learned label is the true class."""
    kept: float | None
    """Share of the right whose learned label still is."""


class SaflexFacts(Record):
    """What SAFLEX did, over all steps of the run."""

    mean_weight: float
    """Mean sample weight before normalisation."""
    label_change_rate: float
    """Share of samples whose largest label entry is not the upstream label's."""
    dropped_steps: int
    """Steps in which every weight was zero."""
    steps: int
    labels: LabelFacts | None = None
    """None where true classes are not known: no step makes labels wrong, or samples were mixed afterwards."""


class Timing(Record):
    """Wall-clock; not part of a run's identity."""

    train_seconds: float
    """Training steps only, without evaluation and checkpoints."""
    total_seconds: float
    steps_per_second: float
    seeds_together: int | None = None
    """How many seeds one program trained together: what they shared counts for each with an equal part of its seconds,
    so that the seconds of all seeds add up to what the program took. None for a run by itself."""


class Environment(Record):
    """What the run was made with; no host name, user or path."""

    saflex: str
    python: str
    torch: str
    scikit_learn: str | None = None
    """None in reports from before it was recorded."""
    device: str
    threads: int
    git_commit: str | None
    git_dirty: bool | None


class Report(Record):
    """`results/reports/<recipe>/<method>/seed-<n>.json`, at most 4 KB."""

    format: Literal[1] = 1
    recipe: str
    method: str
    seed: int
    config: dict[str, Any]
    """The resolved configuration: see `saflex_cli.config.identity.run_config`."""
    config_hash: str
    data: DataFacts
    parameters: int
    """Trainable parameters of the model; of boosted trees, their leaves."""
    selected: Selected | None
    """None where the method trains on the validation set."""
    last: Scores
    saflex: SaflexFacts | None
    timing: Timing
    environment: Environment


class EpochRow(Record):
    """One line of the per-epoch curve, committed as CSV beside the report."""

    epoch: int
    train_loss: float
    val_accuracy: float | None
    val_auroc: float | None
    val_macro_f1: float | None = None
    val_loss: float | None
    mean_weight: float | None
    label_change_rate: float | None
    dropped_steps: int | None
