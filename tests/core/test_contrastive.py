"""The contrastive losses: their formulas, what a class is, and who is pushed away."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from torch.testing import assert_close

from saflex_cli.core import Saflex, contrastive_loss, single_encoder_loss
from saflex_cli.core.contrastive import proxies, scaled_cosines, symmetric_loss
from tests.core.contrastive_twins import (
    reference_classes,
    reference_contrastive,
    reference_diagonal,
    reference_merged,
    reference_own,
    reference_similarity,
)
from tests.core.small_models import randomised, vectors
from tests.reference import reference_alignment, reference_loss

POSITIVES = ["grouped", "diagonal", "uniform"]
GROUP_LISTS = st.lists(st.integers(0, 3), min_size=1, max_size=6)


def features(count: int, width: int = 4) -> tuple[Tensor, Tensor]:
    """Of images and texts, of any length."""
    return (
        torch.randn(count, width, dtype=torch.float64, requires_grad=True),
        torch.randn(count, width, dtype=torch.float64, requires_grad=True),
    )


def soft(count: int, groups: list[int], positives: str) -> tuple[Tensor, Tensor]:
    """Random labels for both directions."""
    shape = count, len(reference_classes(groups, positives))
    return tuple(torch.randn(shape, dtype=torch.float64).softmax(1) for _ in range(2))


# The formulas ---------------------------------------------------------------------------------------------------------


def test_by_hand():
    """Two pairs whose images and texts are the same two orthogonal vectors, scale log 3.

    s = [[log 3, 0], [0, log 3]]: the own text has probability 3/4 in every row, so that the loss is log 4/3. As one
    class the pairs are certain: the loss is 0.
    """
    unit = torch.tensor([[2.0, 0.0], [0.0, 0.5]], dtype=torch.float64)
    scale = torch.tensor(3.0, dtype=torch.float64).log()
    assert contrastive_loss(unit, unit, scale, torch.tensor([0, 1])).item() == pytest.approx(0.2876821)
    assert contrastive_loss(unit, unit, scale, torch.tensor([5, 5])).item() == pytest.approx(0)


@given(groups=GROUP_LISTS, positives=st.sampled_from(POSITIVES), normalise=st.sampled_from(["sum", "batch"]))
def test_equals_the_loops(groups, positives, normalise):
    """Value and gradients, with soft labels and weights of both directions, for every pattern of groups."""
    images, texts = features(len(groups))
    scale = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    labels = soft(len(groups), groups, positives)
    weights = torch.rand(len(groups)).double(), torch.rand(len(groups)).double()
    found = contrastive_loss(
        images, texts, scale, torch.tensor(groups), labels, weights, positives=positives, normalise=normalise
    )
    expected = reference_contrastive(
        reference_similarity(images, texts, scale),
        groups,
        positives=positives,
        labels=labels,
        weights=weights,
        normalise=normalise,
    )
    assert_close(found, expected)
    for one, other in zip(
        torch.autograd.grad(found, (images, texts, scale)),
        torch.autograd.grad(expected, (images, texts, scale)),
        strict=True,
    ):
        assert_close(one, other)


@given(groups=GROUP_LISTS, positives=st.sampled_from(POSITIVES))
def test_classes_and_labels(groups, positives):
    """Classes are numbered as they appear; the label of a pair is its own class, or spread over its group."""
    found = proxies(torch.tensor(groups), torch.zeros(len(groups), len(groups)).double(), positives)
    members = reference_classes(groups, positives)
    assert found.classes.tolist() == [next(k for k, own in enumerate(members) if i in own) for i in range(len(groups))]
    assert_close(found.labels, reference_own(groups, positives))


@given(groups=GROUP_LISTS)
def test_with_distinct_captions_all_positives_are_the_same(groups):
    distinct = list(dict.fromkeys(groups))
    images, texts = features(len(distinct))
    losses = [contrastive_loss(images, texts, 2.0, torch.tensor(distinct), positives=name) for name in POSITIVES]
    assert losses[0] == losses[1] == losses[2]


def test_diagonal_is_flyps_loss():
    """Mean of both directions' means, whatever the captions are."""
    images, texts = features(5)
    found = contrastive_loss(images, texts, 2.0, torch.zeros(5, dtype=torch.int64), positives="diagonal")
    assert found.item() == pytest.approx(reference_diagonal(images.detach(), texts.detach(), 2.0))
    assert_close(contrastive_loss(images, texts, 2.0, torch.arange(5)), found)


def test_equals_open_clips_loss():
    clip_loss = pytest.importorskip("open_clip.loss").ClipLoss()
    images, texts = features(5)
    expected = clip_loss(functional.normalize(images, dim=1), functional.normalize(texts, dim=1), torch.tensor(20.0))
    assert_close(
        contrastive_loss(images, texts, 20.0, torch.zeros(5, dtype=torch.int64), positives="diagonal"), expected
    )


def test_the_single_encoder_is_one_direction():
    """Eq. 12, with labels and weights as in Eq. 14; without groups every pair is its own class."""
    anchors, others = features(5)
    groups, temperature = [3, 1, 3, 0, 1], 0.5
    rows = reference_similarity(anchors, others, 1 / temperature)
    assert_close(
        single_encoder_loss(anchors, others, temperature), reference_loss(rows, torch.eye(5).double(), [1.0] * 5)
    )
    labels, weights = soft(5, groups, "grouped")[0], torch.rand(5).double()
    expected = reference_loss(reference_merged(rows, groups, "grouped"), labels, weights)
    assert_close(single_encoder_loss(anchors, others, temperature, torch.tensor(groups), labels, weights), expected)


class OneEncoder(nn.Module):
    """Logits of Eq. 12 from anchors and positives side by side."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4))

    def forward(self, inputs):
        anchors, others = inputs
        return scaled_cosines(self.encoder(anchors), self.encoder(others), 2.0)


def test_saflex_itself_serves_a_single_encoder():
    """Its logits matrix is a model output like any other, whose classes are the pairs."""
    model, pair, outer = randomised(OneEncoder()), (vectors(4), vectors(4)), (vectors(5), vectors(5))
    refined = Saflex(preset="lp")(
        model=model,
        inputs=pair,
        upstream_labels=torch.arange(4),
        outer_inputs=outer,
        outer_labels=torch.arange(5),
    )
    assert_close(refined.alignment, reference_alignment(model, pair, outer, torch.arange(5)))
    expected = single_encoder_loss(
        model.encoder(pair[0]), model.encoder(pair[1]), 0.5, None, refined.soft_labels, refined.sample_weights
    )
    assert_close(refined.loss(), expected)


# Linear in labels and weights -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("positives", POSITIVES)
def test_the_loss_is_linear_in_weights_times_labels(positives):
    """It is −Σ v_ik log q_ik / B over both directions, v = w y: Theorem 1 applies."""
    groups = [3, 1, 3, 0, 1]
    images, texts = features(5)
    classes = len(reference_classes(groups, positives))

    def loss(labels, weights):
        return contrastive_loss(
            images, texts, 2.0, torch.tensor(groups), labels, weights, positives=positives, normalise="batch"
        )

    labels, weights = soft(5, groups, positives), (torch.rand(5).double(), torch.rand(5).double())
    total = torch.zeros((), dtype=torch.float64)
    for way in range(2):
        for i in range(5):
            for k in range(classes):
                one_label = torch.eye(classes, dtype=torch.float64)[[k] * 5]
                only = [torch.zeros(5, dtype=torch.float64), torch.zeros(5, dtype=torch.float64)]
                only[way][i] = 1.0
                total = total + weights[way][i] * labels[way][i, k] * loss((one_label, one_label), tuple(only))
    assert_close(loss(labels, weights), total)


@pytest.mark.parametrize("normalise", ["sum", "batch"])
@pytest.mark.parametrize("positives", POSITIVES)
def test_all_weights_zero_teach_nothing(positives, normalise):
    images, texts = features(4)
    nothing = torch.zeros(4, dtype=torch.float64)
    loss = contrastive_loss(
        images,
        texts,
        2.0,
        torch.tensor([0, 0, 1, 2]),
        weights=(nothing, nothing),
        positives=positives,
        normalise=normalise,
    )
    assert loss.item() == 0
    for gradient in torch.autograd.grad(loss, (images, texts)):
        assert torch.equal(gradient, torch.zeros_like(gradient))


# Who is pushed away ---------------------------------------------------------------------------------------------------


def pushes(groups: list[int], positives: str, labels: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
    """A random s, and the gradient of the rows' loss with respect to it: above 0 where a step lowers s_ij."""
    similarity = (3 * torch.randn(len(groups), len(groups), dtype=torch.float64)).requires_grad_()
    classes = proxies(torch.tensor(groups), similarity, positives)
    silent = torch.zeros(len(groups), dtype=torch.float64)
    weights = torch.ones_like(silent), silent
    loss = symmetric_loss(similarity, classes, labels=labels, weights=weights, normalise="batch")
    (gradient,) = torch.autograd.grad(2 * len(groups) * loss, similarity)
    return similarity.detach(), gradient


@given(groups=GROUP_LISTS)
def test_a_twin_is_never_pushed_away(groups):
    """Grouped: the gradient at every column of the own group is p (1 − 1/q) ≤ 0."""
    similarity, gradient = pushes(groups, "grouped")
    p = similarity.softmax(1)
    for i, own in enumerate(groups):
        twins = [j for j, group in enumerate(groups) if group == own]
        q = sum(p[i, j] for j in twins)
        for j in twins:
            assert gradient[i, j].item() == pytest.approx((p[i, j] * (1 - 1 / q)).item(), abs=1e-12)
            assert gradient[i, j] <= 1e-12


def test_diagonal_pushes_a_twin_away():
    """FLYP's own: a repeated caption is a false negative, with weight p."""
    similarity, gradient = pushes([0, 0, 1], "diagonal")
    assert gradient[0, 1].item() == pytest.approx(similarity.softmax(1)[0, 1].item())


@given(groups=GROUP_LISTS)
def test_soft_labels_move_a_class_as_one(groups):
    """With any label the columns of a class are all pulled or all pushed, in proportion to p: p (1 − y/q)."""
    labels = soft(len(groups), groups, "grouped")
    similarity, gradient = pushes(groups, "grouped", labels)
    p = similarity.softmax(1)
    for i in range(len(groups)):
        for k, members in enumerate(reference_classes(groups, "grouped")):
            q = sum(p[i, j] for j in members)
            for j in members:
                assert gradient[i, j].item() == pytest.approx((p[i, j] * (1 - labels[0][i, k] / q)).item(), abs=1e-12)


@given(groups=GROUP_LISTS)
def test_how_a_label_is_spread_over_twins_does_not_matter(groups):
    """A label over the B columns, each with the probability of its set, is the label with one entry for a class."""
    count, members = len(groups), reference_classes(groups, "grouped")
    similarity = torch.randn(count, count, dtype=torch.float64)
    spread = torch.randn(count, count, dtype=torch.float64).softmax(1)
    log_q = reference_merged(similarity, groups, "grouped").softmax(1).log()
    columns = 0.0
    for i in range(count):
        for j in range(count):
            columns -= spread[i, j] * log_q[i, next(k for k, own in enumerate(members) if j in own)]
    rows = torch.stack([spread[:, own].sum(1) for own in members], 1)
    classes = proxies(torch.tensor(groups), similarity, "grouped")
    silent = torch.zeros(count, dtype=torch.float64)
    found = symmetric_loss(
        similarity, classes, labels=(rows, rows), weights=(torch.ones_like(silent), silent), normalise="batch"
    )
    assert_close(2 * count * found, columns)


# Precision ------------------------------------------------------------------------------------------------------------


def test_far_classes_do_not_underflow():
    """At CLIP's scale of 100 a class may lie 200 below another: single precision still has its logarithm."""
    images = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]], requires_grad=True)
    labels = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    loss = contrastive_loss(images, images, 100.0, torch.tensor([0, 1, 0, 1]), (labels, labels))
    assert loss.item() == pytest.approx(200)
    assert torch.autograd.grad(loss, images)[0].isfinite().all()


def test_half_precision_features_give_a_loss_in_single():
    images, texts = (side.detach().bfloat16() for side in features(4))
    assert contrastive_loss(images, texts, 2.0, torch.tensor([0, 0, 1, 2])).dtype == torch.float32
