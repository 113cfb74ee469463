"""What became of right and of wrong upstream labels, where the true classes are known: sums over samples."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def label_sums(
    true: Int[Tensor, "*seeds batch"],
    upstream: Float[Tensor, "*seeds batch classes"],
    learned: Float[Tensor, "*seeds batch classes"],
    weights: Float[Tensor, "*seeds batch"],
) -> Float[Tensor, "*seeds 3 3"]:
    """Sums over a batch, on its device, for three kinds of samples.

    A label counts as the class of its largest entry.

    Args:
        true: Classes; −1 for a sample of no class.
        upstream: Labels before refinement.
        learned: Labels after it.
        weights: After it.

    Returns:
        A row for samples with a wrong upstream label, with a right one, and of no class; in each how many there are,
        the sum of their weights, and how many learned labels are the true class.
    """
    given, found = upstream.argmax(-1), learned.argmax(-1)
    classless = true < 0
    kinds = torch.stack([~classless & (given != true), given == true, classless], dim=-2)
    values = torch.stack([torch.ones_like(weights), weights, (found == true).to(weights)], dim=-1)
    return kinds.double() @ values.double()
