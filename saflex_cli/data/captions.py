"""What a contrastive model reads beside an image: prompts made of class names."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from saflex_cli.errors import DataError

PLACE = "{c}"
"""Where a template takes the class name."""
IWILDCAM_TEMPLATES = ("a photo of {c}.", "{c} in the wild.")
"""FLYP at 215d5bb, `src/templates/iwildcam_template.py`."""


@dataclass(frozen=True)
class Captions:
    """Every image once per template, as the rows of FLYP's training table are: N images and T templates, N · T rows."""

    texts: tuple[str, ...]
    """The K · T different captions: that of class k under template t stands at k · T + t."""
    images: Int[Tensor, " rows"]
    """Places in the split."""
    captions: Int[Tensor, " rows"]
    """Places in `texts`."""
    labels: Int[Tensor, " rows"]
    groups: Int[Tensor, " rows"]
    """Equal where two rows show classes of the same name, so that one's caption is right for the other, too."""

    def __len__(self) -> int:
        return len(self.images)


def prompts(class_names: Sequence[str], templates: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The captions of each class, one per template.

    Raises:
        DataError: for no template, or one without a place for the name.
    """
    if not templates:
        raise DataError(f"templates: there are none; write at least one, such as 'a photo of {PLACE}.'")
    for template in templates:
        if template.count(PLACE) != 1:
            raise DataError(f"templates: {template!r} must have {PLACE} exactly once, where the class name goes")
    return tuple(tuple(template.replace(PLACE, name) for template in templates) for name in class_names)


def name_groups(class_names: Sequence[str]) -> Int[Tensor, " classes"]:
    """A number for every class, the same for classes whose names differ at most in case; in order of appearance."""
    numbers: dict[str, int] = {}
    return torch.tensor([numbers.setdefault(name.lower(), len(numbers)) for name in class_names])


def caption_rows(labels: Int[Tensor, " n"], class_names: Sequence[str], templates: Sequence[str]) -> Captions:
    """All images with their first caption, then all with their second, and so on.

    Raises:
        DataError: as for `prompts`.
    """
    texts = prompts(class_names, templates)
    count, kinds = len(labels), len(templates)
    places, repeated = torch.arange(count).repeat(kinds), labels.cpu().repeat(kinds)
    return Captions(
        texts=tuple(text for own in texts for text in own),
        images=places,
        captions=repeated * kinds + torch.arange(kinds).repeat_interleave(count),
        labels=repeated,
        groups=name_groups(class_names)[repeated],
    )
