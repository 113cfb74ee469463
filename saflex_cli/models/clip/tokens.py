"""Captions as tokens, checked for their length: open_clip itself cuts off what is too long, without a word."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from jaxtyping import Int
from torch import Tensor

from saflex_cli.errors import DataError
from saflex_cli.models.clip.package import open_clip

_ENDS = 2
"""The tokens for the start and the end of a caption."""


def tokenize(captions: Sequence[str], context_length: int) -> Int[Tensor, "captions context"]:
    """The tokens of each caption, between those for its start and its end, then zeros; case does not matter.

    Raises:
        DataError: names the first caption that is too long, with its number of tokens.
    """
    tokenizer = _tokenizer()
    for caption in captions:
        count = len(tokenizer.encode(caption)) + _ENDS
        if count > context_length:
            raise DataError(
                f"the caption {caption!r} has {count} tokens with its start and end, and the model takes "
                f"{context_length}: shorten the class name or the template"
            )
    tokens: Tensor = tokenizer(list(captions), context_length=context_length)
    return tokens


@cache
def _tokenizer() -> Any:  # noqa: ANN401 - open_clip carries no types
    return open_clip().SimpleTokenizer()
