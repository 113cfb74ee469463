"""What is printed follows what selects."""

from typing import get_args

from saflex_cli.config.metrics import METRIC_NAMES, Metric, SelectionMetric, printed
from saflex_cli.store.report import Metrics


def test_every_metric_has_a_name_and_a_place_in_reports() -> None:
    assert list(METRIC_NAMES) == list(get_args(SelectionMetric)) == list(Metrics.model_fields)


def test_the_selecting_metric_is_printed_and_accuracy_for_the_loss() -> None:
    assert {name: printed(name) for name in METRIC_NAMES} == {name: name for name in get_args(Metric)} | {
        "loss": "accuracy"
    }
