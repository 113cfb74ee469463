"""A pool of extra samples, some of them wrong, beside a small clean training set: what generated samples are."""

from typing import Literal

from saflex_cli.config.base import Positive, Share, Strict


class PoolConfig(Strict):
    """Samples taken out of the training split, drawn per run seed; what is left is the clean training set.

    Which of them get wrong labels and which wrong inputs is drawn independently, so that a sample may have both. The
    numbers are exact: the share of `size`, rounded to the nearest whole number (a half to the even one).
    """

    size: Positive
    """Samples in the pool."""
    wrong_labels: Share = 0.0
    """Share with a wrong class: any other class with equal probability, drawn once."""
    wrong_inputs: Share = 0.0
    """Share with inputs of no class: every column (of images, every pixel with all its channels) is that of a sample of
    the pool drawn for it alone. Each column is distributed as before, and nothing ties the columns together. The label
    stays."""


class PoolSamples(Strict):
    """In the place of the batch, as many samples of the recipe's `pool`, with the labels that they have there.

    Every step draws anew, no sample twice as long as the pool is not smaller than the batch. It comes first.
    """

    name: Literal["pool"]
