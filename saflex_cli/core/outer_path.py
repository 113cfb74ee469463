"""The outer gradient of the classifier layer along a path: what several steps find that one does not.

The first gradient points where most outer samples agree, and is near 0 once the layer fits them. A path of gradient
steps on the outer loss, from the layer as it is, goes on to what is left: with many steps its direction tends to that
of the outer samples' own classifier on the network's features.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def path_residuals(
    logits: Float[Tensor, "outer classes"],
    targets: Float[Tensor, "outer classes"],
    features: Float[Tensor, "outer width"],
    shares: Float[Tensor, " outer"],
    parameters: frozenset[str],
    steps: int,
) -> Float[Tensor, "outer classes"]:
    """y_j − p_j, averaged over the layers that `steps` gradient steps begin with; with one step, those of the layer.

    The steps minimise Σ_j ω_j L_j over the layer's `parameters` (of `weight` and `bias`), at the largest length 1/L at
    which descent is certain: L = λ/2 with λ the largest eigenvalue of Σ_j ω_j h_j h_jᵀ (Böhning 1992), the bias' 1
    among the features. Their sum is n/L times the direction Σ_j ω_j r_j h_jᵀ of the mean residuals r.
    """
    residuals = targets - logits.softmax(1)
    if steps == 1:
        return residuals
    seen = torch.cat(
        [features] * ("weight" in parameters) + [torch.ones_like(features[:, :1])] * ("bias" in parameters), 1
    )
    curvature = torch.linalg.matrix_norm(seen * shares.sqrt()[:, None], 2).square() / 2
    kernel = seen @ seen.T / curvature.clamp(min=torch.finfo(curvature.dtype).tiny)
    total, moved = residuals.clone(), logits
    for _ in range(steps - 1):
        moved = moved + kernel @ (residuals * shares[:, None])
        residuals = targets - moved.softmax(1)
        total += residuals
    return total / steps
