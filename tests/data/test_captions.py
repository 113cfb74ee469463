"""Every image has every prompt once; classes of one name are one group."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from saflex_cli.data.captions import IWILDCAM_TEMPLATES, caption_rows, name_groups, prompts
from saflex_cli.data.class_names import iwildcam_names
from saflex_cli.errors import DataError


def test_prompts_of_the_published_templates() -> None:
    assert prompts(("empty", "Jaguarundi"), IWILDCAM_TEMPLATES) == (
        ("a photo of empty.", "empty in the wild."),
        ("a photo of Jaguarundi.", "Jaguarundi in the wild."),
    )


def test_templates_that_cannot_be_used() -> None:
    with pytest.raises(DataError, match="templates: there are none"):
        prompts(("a",), ())
    for template in ("a photo.", "{c} and {c}"):
        with pytest.raises(DataError, match=r"must have \{c\} exactly once"):
            prompts(("a",), (template,))


def test_names_with_braces_are_taken_as_they_are() -> None:
    assert prompts(("{c}", "{0}"), ("a {c}.",)) == (("a {c}.",), ("a {0}.",))


@given(
    names=st.lists(st.sampled_from(["Cat", "cat", "dog", "CAT", "bird"]), min_size=1, max_size=6),
    labels=st.lists(st.integers(0, 5), min_size=1, max_size=8),
    kinds=st.integers(1, 3),
)
def test_rows_equal_a_slow_twin(names: list[str], labels: list[int], kinds: int) -> None:
    labels = [label % len(names) for label in labels]
    templates = tuple(f"{kind} {{c}}" for kind in range(kinds))
    rows = caption_rows(torch.tensor(labels), names, templates)
    found = [
        (image, rows.texts[caption], label)
        for image, caption, label in zip(
            rows.images.tolist(), rows.captions.tolist(), rows.labels.tolist(), strict=True
        )
    ]
    assert found == [
        (image, f"{kind} {names[label]}", label) for kind in range(kinds) for image, label in enumerate(labels)
    ]
    for first in range(len(rows)):
        for second in range(len(rows)):
            same = names[rows.labels[first]].lower() == names[rows.labels[second]].lower()
            assert bool(rows.groups[first] == rows.groups[second]) == same


def test_groups_are_numbered_in_order_of_appearance() -> None:
    assert name_groups(("b", "a", "B", "c")).tolist() == [0, 1, 0, 2]


def test_the_training_table_has_259618_rows(real_data: Callable[..., Path]) -> None:
    names = iwildcam_names(real_data("iwildcam/iwildcam_labels.csv") / "iwildcam" / "iwildcam_labels.csv")
    rows = caption_rows(torch.arange(129_809) % 182, names, IWILDCAM_TEMPLATES)
    assert (len(rows), len(rows.texts)) == (259_618, 364)
    assert len(rows.groups.unique()) == 178
    assert rows.texts[rows.captions[129_809]] == "empty in the wild."
