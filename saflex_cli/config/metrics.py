"""The metrics that recipes select by and tables print."""

from collections.abc import Mapping
from typing import Literal

Metric = Literal["accuracy", "auroc", "macro_f1"]
"""What tables, studies and summaries print."""
SelectionMetric = Literal["accuracy", "auroc", "macro_f1", "loss"]
"""What validation may choose an epoch by."""

METRIC_NAMES: Mapping[SelectionMetric, str] = {
    "accuracy": "accuracy",
    "auroc": "AUROC",
    "macro_f1": "macro F1",
    "loss": "loss",
}


def printed(selected_by: SelectionMetric) -> Metric:
    """The metric that is printed for a recipe by default: what it selects by, or accuracy where that is the loss."""
    return "accuracy" if selected_by == "loss" else selected_by
