"""The outer samples as the classifier layer sees them, one by one: views of its features, and how sure Π is.

With features h, residuals r_j = y_j − p_j of the outer samples and shares ω_j that add up to 1, Π of scope `head` is a
mean over the outer samples: for any label y of sample i,

    Π_i·y = Σ_j ω_j c_ij        c_ij = (⟨h_i, h_j⟩ + 1) ⟨y − p_i, r_j⟩

so that its standard error is that of a weighted mean.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

HeadFeatures = Literal["raw", "centred", "correlation"]


@dataclass(frozen=True)
class FeatureView:
    """What the closed form sees of the features (`head_features`)."""

    how: HeadFeatures
    centre: Float[Tensor, " width"] | None
    """Mean over the outer batch; not needed for `raw`."""

    def of(self, features: Float[Tensor, "n width"]) -> Float[Tensor, "n width"]:
        """The features as they are, centred, or centred and at length 1."""
        if self.how == "raw" or self.centre is None:
            return features
        centred = features - self.centre
        return centred if self.how == "centred" else functional.normalize(centred, dim=1)


@dataclass(frozen=True)
class OuterSamples:
    """What each outer sample adds to the outer gradient of the classifier layer."""

    view: FeatureView
    features: Float[Tensor, "outer width"]
    """As the view shows them."""
    residuals: Float[Tensor, "outer classes"]
    """y_j − p_j."""
    shares: Float[Tensor, " outer"]
    """ω_j; they add up to 1."""

    parameters: frozenset[str]
    """Of `weight` and `bias`, those over which Π is taken."""

    def kernel(self, features: Float[Tensor, "n width"]) -> Float[Tensor, "n outer"]:
        """⟨h_i, h_j⟩ for the weights, + 1 for the bias."""
        products = features @ self.features.T
        return products * ("weight" in self.parameters) + ("bias" in self.parameters)

    def standard_error(
        self,
        features: Float[Tensor, "n width"],
        labels: Float[Tensor, "n classes"],
        probabilities: Float[Tensor, "n classes"],
    ) -> Float[Tensor, " n"]:
        """Standard error of Π_i·y_i over the outer samples: that of a weighted mean, with n − 1; 0 for one sample."""
        terms = self.kernel(features) * ((labels - probabilities) @ self.residuals.T)
        mean = (terms * self.shares).sum(1, keepdim=True)
        spread = (self.shares * (terms - mean)).square().sum(1)
        count = len(self.shares)
        return (spread * count / max(1, count - 1)).sqrt() if count > 1 else torch.zeros_like(spread)
