"""A model and upstream augmentations for rows of a table, as a recipe names them."""

from typing import Annotated, Literal

from pydantic import Field

from saflex_cli.config.base import Dropout, Positive, Share, Strict


class Saint(Strict):
    """SAINT (Somepalli et al. 2021): one token per column and one for the class, attention between them.

    Defaults are the published ones for attention between columns (somepago/saint at e288e84, `train.py`).
    """

    name: Literal["saint"]
    dim: Positive = 32
    """Width of a token; published: 8 above 100 columns, with batches of at most 64."""
    depth: Positive = 6
    """Blocks; published with row attention: 1."""
    heads: Positive = 8
    """Of every attention; published with row attention: 4."""
    attention: Literal["column", "column+row"] = "column"
    """`column+row` adds to every block an attention between the rows of a batch: a prediction then depends on the
    batch it is made in, at test time too."""
    attention_dropout: Dropout = 0.1
    """Of the attention weights; published with row attention: 0.8. The published code never applies it."""
    feedforward_dropout: Dropout = 0.1
    """Inside the feed-forward layers; published with row attention: 0.8."""


class CellCutMix(Strict):
    """CutMix as SAINT's code has it: every cell is its partner's with a probability of its own; the label stays."""

    name: Literal["cell_cutmix"]
    probability: Share = 0.1
    """That a cell is replaced, independently of the others."""


class ColumnCutMix(Strict):
    """CutMix as in Onishi & Meguro (2023): a drawn number of columns is the partner's; the label is mixed."""

    name: Literal["column_cutmix"]
    alpha: Annotated[float, Field(gt=0)] = 1.0
    """The share of columns kept is Beta(alpha, alpha), one draw for the batch."""
    probability: Share = 0.5
    """That a batch is changed at all."""


class EmbeddingMixup(Strict):
    """Each row mixed with another of its batch after the model's embedding, labels likewise."""

    name: Literal["embedding_mixup"]
    share: Share | Literal["beta"] = "beta"
    """The row's own share: drawn from Beta(alpha, alpha), or this number; SAINT's pre-training has 0.3."""
    alpha: Annotated[float, Field(gt=0)] = 1.0
    """Of `share: beta`."""
    per_sample: bool = False
    """Of `share: beta`: a draw for every row, or one for the batch."""
