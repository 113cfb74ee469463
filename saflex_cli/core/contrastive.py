"""Contrastive losses with sample weights and soft labels (Eq. 12–14), in nats.

In a batch of B pairs the texts are the classes of an image, and the images those of a text. With s_ij the scaled cosine
of image i and text j, an image's probability of class k is that of all the columns S_k of the class together:

    z_ik = log Σ_{j ∈ S_k} exp s_ij        log q_ik = z_ik − log Σ_l exp z_il

z are the logits of an ordinary classifier with K classes, so that labels, weights and Π are those of the other cases.
Pairs with the same caption (or class) are one class, `grouped`: a label has one entry for all of them, and

    ∂(−Σ_k y_ik log q_ik) / ∂s_ij = p_ij (1 − y_ik / q_ik),  j ∈ S_k,  p_i = softmax(s_i)

has one sign for a whole class. An image's own class is never pushed away, whichever of its twins is the column.
Where every column is a class of its own, `diagonal` as in FLYP, a twin's column is pushed away with weight p_ij.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from saflex_cli.core.losses import soft_cross_entropy, soft_labels
from saflex_cli.core.passes import precise
from saflex_cli.errors import SaflexValueError

Positives = Literal["grouped", "diagonal", "uniform"]
Normalise = Literal["sum", "batch"]
Rows = Float[Tensor, "pairs classes"]
Weights = Float[Tensor, " pairs"]


@dataclass(frozen=True)
class Proxies:
    """The classes that a batch of pairs stands for."""

    classes: Int[Tensor, " pairs"]
    """Class of every pair, numbered in the order in which they appear in the batch."""
    labels: Rows
    """The labels before refinement: what every pair's own class is, in both directions."""

    def logits(self, similarity: Float[Tensor, "rows pairs"]) -> Float[Tensor, "rows classes"]:
        """z: the columns of a class merged by their log-sum-exp; in single precision or better."""
        similarity = precise(similarity)
        if self._distinct:
            return similarity
        seen = similarity.detach()
        columns = self.classes.expand_as(seen)
        floor = torch.full_like(seen[:, : self.labels.shape[1]], -torch.inf)
        peaks = floor.scatter_reduce(1, columns, seen, "amax")
        return peaks + self._sums((similarity - peaks[:, self.classes]).exp()).log()

    def velocity(
        self, similarity: Float[Tensor, "rows pairs"], velocity: Float[Tensor, "rows pairs"]
    ) -> Float[Tensor, "rows classes"]:
        """ż_ik: the mean of ṡ_ij over the columns of the class, each with its share of the class' probability."""
        velocity = precise(velocity)
        if self._distinct:
            return velocity
        shares = (precise(similarity) - self.logits(similarity)[:, self.classes]).exp()
        return self._sums(shares * velocity)

    @property
    def _distinct(self) -> bool:
        return self.labels.shape[0] == self.labels.shape[1]

    def _sums(self, columns: Tensor) -> Tensor:
        return torch.zeros_like(columns[:, : self.labels.shape[1]]).index_add(1, self.classes, columns)


def proxies(groups: Int[Tensor, " pairs"], similarity: Float[Tensor, "pairs pairs"], positives: Positives) -> Proxies:
    """The classes of a batch.

    Args:
        groups: A number for every pair, the same for pairs with the same caption (or class).
        similarity: s, for its size, type and device.
        positives: `grouped`: pairs of a group are one class. `diagonal`: every pair is a class of its own, and a
            repeated caption a false negative (FLYP). `uniform`: likewise, but labels are spread evenly over the group.

    Raises:
        SaflexValueError: if the groups do not fit the pairs, or for an unknown choice.
    """
    count = len(similarity)
    if groups.shape != (count,) or groups.is_floating_point():
        raise SaflexValueError(
            f"groups must be one whole number for each of the {count} pairs, not {tuple(groups.shape)} {groups.dtype}"
        )
    if count == 0:
        raise SaflexValueError("groups: the batch is empty")
    own = torch.arange(count, device=similarity.device)
    same = groups.to(similarity.device)[:, None] == groups.to(similarity.device)
    dtype = precise(similarity).dtype
    match positives:
        case "diagonal":
            return Proxies(own, torch.eye(count, dtype=dtype, device=own.device))
        case "uniform":
            return Proxies(own, same.to(dtype) / same.sum(1, keepdim=True))
        case "grouped":
            first = same.int().argmax(1)
            leads = first == own
            classes = (leads.cumsum(0) - 1)[first]
            return Proxies(classes, same[:, leads].to(dtype))
        case _:
            raise SaflexValueError(f"positives must be grouped, diagonal or uniform, not {positives!r}")


def scaled_cosines(
    left: Float[Tensor, "pairs width"], right: Float[Tensor, "pairs width"], scale: Float[Tensor, ""] | float
) -> Float[Tensor, "pairs pairs"]:
    """s_ij: the cosine of row i on the left and row j on the right, times the scale."""
    return scale * functional.normalize(left, dim=1) @ functional.normalize(right, dim=1).T


def contrastive_loss(
    image_features: Float[Tensor, "pairs width"],
    text_features: Float[Tensor, "pairs width"],
    scale: Float[Tensor, ""] | float,
    groups: Int[Tensor, " pairs"],
    labels: tuple[Rows, Rows] | None = None,
    weights: tuple[Weights, Weights] | None = None,
    *,
    positives: Positives = "grouped",
    normalise: Normalise = "sum",
) -> Float[Tensor, ""]:
    """Symmetric InfoNCE, mean of both directions (Eq. 13 and 14, divided by 2B); linear in labels and in weights.

    With `diagonal` and nothing else given it is the loss of FLYP and of open_clip. A function of its arguments alone:
    in several processes, hand over the features that were gathered from all of them.

    Args:
        image_features: Of B images in the common space, of any length.
        text_features: Of their texts.
        scale: What multiplies the cosines: exp(logit_scale), or 1/τ.
        groups: As for `proxies`.
        labels: Rows of probabilities (B, K) of the images and of the texts; classes are numbered in the order in which
            the groups first appear, or as the pairs are (`diagonal`, `uniform`). Otherwise the own class.
        weights: Of the images and of the texts, at least 0; otherwise 1.
        positives: As for `proxies`.
        normalise: As for `saflex_cli.core.soft_cross_entropy`, in each direction.

    Raises:
        SaflexValueError: for groups or labels that do not fit.
    """
    found = scaled_cosines(image_features, text_features, scale)
    classes = proxies(groups, found, positives)
    return symmetric_loss(found, classes, labels=labels, weights=weights, normalise=normalise)


def symmetric_loss(
    similarity: Float[Tensor, "pairs pairs"],
    classes: Proxies,
    *,
    labels: tuple[Rows, Rows] | None = None,
    weights: tuple[Weights, Weights] | None = None,
    normalise: Normalise = "sum",
) -> Float[Tensor, ""]:
    """`contrastive_loss` from the similarities: texts as the classes of the rows, then images."""
    image_labels, text_labels = labels or (None, None)
    image_weights, text_weights = weights or (None, None)
    images = _one_way(similarity, classes, image_labels, image_weights, normalise)
    return (images + _one_way(similarity.T, classes, text_labels, text_weights, normalise)) / 2


def single_encoder_loss(
    anchors: Float[Tensor, "pairs width"],
    positive_features: Float[Tensor, "pairs width"],
    temperature: float,
    groups: Int[Tensor, " pairs"] | None = None,
    labels: Rows | None = None,
    weights: Weights | None = None,
    *,
    positives: Positives = "grouped",
    normalise: Normalise = "sum",
) -> Float[Tensor, ""]:
    """The loss of one encoder (Eq. 12, divided by B): the positives of the others are an anchor's negatives.

    Args:
        anchors: φ(x_i), of any length.
        positive_features: φ(x_i⁺).
        temperature: τ.
        groups: As for `proxies`; every pair is its own where not given.
        labels: Of the anchors; otherwise the own class.
        weights: Of the anchors; otherwise 1.
        positives: As for `proxies`.
        normalise: As for `contrastive_loss`.

    Raises:
        SaflexValueError: for groups or labels that do not fit.
    """
    found = scaled_cosines(anchors, positive_features, 1 / temperature)
    groups = torch.arange(len(found), device=found.device) if groups is None else groups
    return _one_way(found, proxies(groups, found, positives), labels, weights, normalise)


def _one_way(
    similarity: Tensor, classes: Proxies, labels: Tensor | None, weights: Tensor | None, normalise: Normalise
) -> Tensor:
    logits = classes.logits(similarity)
    rows = classes.labels if labels is None else soft_labels(labels, logits)
    return soft_cross_entropy(logits, rows, None if weights is None else weights.to(logits), normalise=normalise)
