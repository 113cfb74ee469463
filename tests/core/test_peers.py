"""`l2rw` gives the weights of Ren et al. 2018, computed here by their own recipe."""

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional
from torch.testing import assert_close

from saflex_cli.core import Saflex
from tests.core.small_models import BATCH, CLASSES, conv_net, pictures, problem_of, smooth_mlp, vectors


def weights_of_ren_et_al(model: nn.Module, inputs, classes: Tensor, outer_inputs, outer_classes: Tensor) -> Tensor:
    """Their Algorithm 1: a differentiable SGD step on Σ_i ε_i ℓ_i at ε = 0, then the gradient of the outer loss by ε.

    It passes through the step itself, by second-order differentiation; its negative is rectified and sums to 1.
    """
    parameters = dict(model.named_parameters())
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    weights = torch.zeros(len(classes), dtype=torch.float64, requires_grad=True)
    losses = functional.cross_entropy(functional_call(model, (parameters, buffers), inputs), classes, reduction="none")
    gradients = torch.autograd.grad((weights * losses).sum(), list(parameters.values()), create_graph=True)
    stepped = {name: p - 0.1 * gradient for (name, p), gradient in zip(parameters.items(), gradients, strict=True)}
    outer_loss = functional.cross_entropy(functional_call(model, (stepped, buffers), outer_inputs), outer_classes)
    (slope,) = torch.autograd.grad(outer_loss, weights)
    rectified = (-slope).clamp(min=0)
    return rectified / rectified.sum()


@pytest.mark.parametrize(("build", "draw"), [(smooth_mlp, vectors), (conv_net, pictures)], ids=["mlp", "conv"])
def test_l2rw_is_the_published_algorithm(build, draw):
    """Up to normalisation the weights are equal, BatchNorm in training mode included."""
    problem = problem_of(build(), draw, "")
    classes = torch.randint(CLASSES, (BATCH,))
    call = {**problem.call(), "upstream_labels": classes}
    expected = weights_of_ren_et_al(problem.model, problem.inputs, classes, call["outer_inputs"], call["outer_labels"])
    refined = Saflex(preset="l2rw")(**call)
    assert 0 < (expected > 0).sum() < BATCH  # both kinds of samples occur
    assert_close(refined.sample_weights / refined.sample_weights.sum(), expected)
    assert refined.soft_labels.argmax(1).tolist() == classes.tolist()
