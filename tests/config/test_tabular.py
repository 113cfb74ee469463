"""Keys of tables in a recipe."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from saflex_cli.config.components import DataConfig
from saflex_cli.config.tabular import CsvData, SplitShares, TabularData

ADAPTER: TypeAdapter[DataConfig] = TypeAdapter(DataConfig)
CSV: dict[str, Any] = {"name": "csv", "path": "a.csv", "target": "y"}


def test_defaults_are_saints_split() -> None:
    data = ADAPTER.validate_python({"name": "tabular", "table": "qsar"})
    assert isinstance(data, TabularData)
    assert data.split == SplitShares(train=0.65, val=0.15, test=0.2)
    assert (data.stratify, data.split_seed, data.scaling, data.deduplicate) == (False, None, "standardise", False)


def test_a_number_as_positive_value_is_its_text() -> None:
    data = ADAPTER.validate_python({**CSV, "positive": 1})
    assert isinstance(data, CsvData)
    assert data.positive == "1"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "tabular", "table": "appetency"}, "Input should be 'qsar', "),
        ({**CSV, "split": {"train": 0.5, "val": 0.2, "test": 0.2}}, "must add up to 1, not 0.9"),
        ({**CSV, "split": {"train": 0.8, "val": 0.2, "test": 0.0}}, "greater than 0"),
        ({**CSV, "drop": ("y",)}, "column 'y' is named twice"),
        ({**CSV, "continuous": ("a",), "categorical": ("a",)}, "column 'a' is named twice"),
        ({**CSV, "separator": "\n"}, "separator must not be a quote or a line end"),
        ({**CSV, "separator": ";;"}, "at most 1 character"),
        ({**CSV, "positive": True}, "valid string"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ADAPTER.validate_python(fields)
