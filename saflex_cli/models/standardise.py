"""From raw intensities to what a network is trained on."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from saflex_cli.core.sections import section
from saflex_cli.models.features import feature_layers


def standardise(
    images: Float[Tensor, "*shape"] | UInt8[Tensor, "*shape"], mean: float, std: float
) -> Float[Tensor, "*shape"]:
    """(intensity − mean) / std of uint8 images in 0…255 or float intensities in [0, 1].

    Worked case: with mean 0.5 and std 0.25, black becomes −2 and white 2, whether white is 255 or 1.0.
    """
    intensity = images if images.is_floating_point() else images.float() / 255
    return (intensity - mean) / std


class Standardised(nn.Module):
    """A network behind its own input normalisation: it takes raw intensities, uint8 in 0…255 or float in [0, 1].

    Its output is the network's output itself, so that the core recognises the network's last layer.
    """

    channels_last = False
    """Hand images on with the channels innermost in memory; vectors have none."""

    def __init__(self, mean: float, std: float, net: nn.Module) -> None:
        super().__init__()
        self.mean, self.std, self.net = mean, std, net

    def forward(
        self,
        images: Float[Tensor, "batch ..."] | UInt8[Tensor, "batch ..."],
    ) -> Float[Tensor, "batch classes"]:
        """Logits."""
        with section("forward"):
            inputs = standardise(images, self.mean, self.std)
            if self.channels_last and inputs.ndim == 4:
                inputs = inputs.contiguous(memory_format=torch.channels_last)
            logits: Tensor = self.net(inputs)
        return logits

    def feature_layers(self) -> list[nn.Module]:
        """The network's own."""
        return feature_layers(self.net)

    def extra_repr(self) -> str:
        """Mean and standard deviation."""
        return f"mean={self.mean}, std={self.std}"
