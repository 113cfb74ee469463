"""A model with two towers, and passes through it that carry the derivative of its similarities.

Scope `all` takes the derivative by dual numbers in the forward pass, as elsewhere. Scope `head` takes it over the
projections of both towers and the scale, in closed form. With u = x P the embedding of an image x, g = u / |u|, h the
same of a text, and θ the logarithm of the scale,

    ġ = (x Ṗ − g ⟨g, x Ṗ⟩) / |u|        ṡ_ij = exp θ (ġ_i·h_j + g_i·ḣ_j + θ̇ g_i·h_j)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from saflex_cli.core.contrastive import scaled_cosines
from saflex_cli.core.directional import DirectionalPass, OuterDirection, plain_pass
from saflex_cli.core.passes import Inputs, precise, traceless_forward, without_autocast
from saflex_cli.errors import SaflexValueError


@dataclass(frozen=True)
class Encoded:
    """What a model with two towers must return for B pairs, called as `model(images, texts)`.

    Images and texts reach it unchanged. It may encode every distinct caption once and gather the rows; in several
    processes it returns the features of all of them. Where a tower ends in no bare matrix, give its embeddings as
    features and no projection: all scopes but `head` then work.
    """

    image_features: Float[Tensor, "pairs image_width"]
    """x: before the projection; embeddings where there is none. Of any length."""
    text_features: Float[Tensor, "pairs text_width"]
    logit_scale: Float[Tensor, ""]
    """θ: the logarithm of what multiplies the cosines."""
    image_projection: Float[Tensor, "image_width embedding"] | None = None
    """P: the parameter itself."""
    text_projection: Float[Tensor, "text_width embedding"] | None = None

    def similarity(self) -> Float[Tensor, "pairs pairs"]:
        """s_ij of image i and text j."""
        images = _projected(self.image_features, self.image_projection)
        texts = _projected(self.text_features, self.text_projection)
        return scaled_cosines(images, texts, self.logit_scale.exp())

    def detached(self) -> "Encoded":
        """Without graph, in single precision or better."""
        return replace(self, **{name: precise(t.detach()) for name, t in vars(self).items() if t is not None})


class Towers(nn.Module):
    """The similarities of a pair of inputs as a module's output, so that every pass of the core serves them."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.training = model.training
        self.encoded: Encoded | None = None
        """Of the latest pass."""

    def forward(self, pair: tuple[Inputs, Inputs]) -> Float[Tensor, "pairs pairs"]:
        """The similarities of (images, texts)."""
        encoded = self.model(*pair)
        if not isinstance(encoded, Encoded):
            raise SaflexValueError(
                f"the model must return saflex_cli.core.Encoded (features, projections, scale), "
                f"not {type(encoded).__name__}"
            )
        if len(encoded.image_features) != len(encoded.text_features):
            raise SaflexValueError(
                f"every image needs a text: the model returned {len(encoded.image_features)} image features and "
                f"{len(encoded.text_features)} text features"
            )
        self.encoded = encoded
        return encoded.similarity()


def projection_direction(
    towers: Towers, pair: tuple[Inputs, Inputs], loss: Callable[[Tensor], Tensor]
) -> OuterDirection:
    """−∇ of a loss of the similarities over what trains of the projections and the scale; from one graph-free pass."""
    with torch.no_grad():
        traceless_forward(towers, pair)
    torch.clear_autocast_cache()  # casts made without a graph must not serve the training pass
    named, encoded = _last_layer(towers), _latest(towers).detached()
    parameters = dict(towers.named_parameters())
    leaves = {name: precise(parameters[name].detach()).requires_grad_() for name in named.values()}
    with torch.enable_grad(), without_autocast(towers):
        moved = replace(encoded, **{role: leaves[name] for role, name in named.items()})
        gradients = torch.autograd.grad(
            loss(moved.similarity()), list(leaves.values()), allow_unused=True, materialize_grads=True
        )
    return OuterDirection({name: -gradient for name, gradient in zip(leaves, gradients, strict=True)})


def projection_pass(
    towers: Towers, pair: tuple[Inputs, Inputs], direction: OuterDirection, *, training_step: bool
) -> DirectionalPass:
    """One forward pass, and ṡ along a direction of the projections and the scale; arguments as for `plain_pass`."""
    found = plain_pass(towers, pair, training_step=training_step)
    named = _last_layer(towers)
    tangents = {role: direction.tangents[name] for role, name in named.items() if name in direction.tangents}
    with torch.no_grad(), without_autocast(towers):
        return DirectionalPass(found, projection_velocity(_latest(towers).detached(), tangents))


def projection_velocity(encoded: Encoded, tangents: Mapping[str, Tensor]) -> Float[Tensor, "pairs pairs"]:
    """ṡ for tangents of the projections and of the log scale, by field of `Encoded`; what is not there stands still."""
    image, image_moves = _unit(encoded.image_features, encoded.image_projection, tangents.get("image_projection"))
    text, text_moves = _unit(encoded.text_features, encoded.text_projection, tangents.get("text_projection"))
    velocity = image_moves @ text.T + image @ text_moves.T
    if "logit_scale" in tangents:
        velocity = velocity + tangents["logit_scale"] * image @ text.T
    return encoded.logit_scale.exp() * velocity


def _unit(features: Tensor, projection: Tensor | None, tangent: Tensor | None) -> tuple[Tensor, Tensor]:
    """The unit embedding g and its derivative ġ."""
    embedding = _projected(features, projection)
    length = embedding.norm(dim=1, keepdim=True).clamp(min=1e-12)  # as `torch.nn.functional.normalize`
    unit = embedding / length
    if tangent is None:
        return unit, torch.zeros_like(unit)
    moves = features @ tangent
    return unit, (moves - unit * (unit * moves).sum(1, keepdim=True)) / length


def _projected(features: Tensor, projection: Tensor | None) -> Tensor:
    return features if projection is None else features @ projection


def _latest(towers: Towers) -> Encoded:
    if towers.encoded is None:
        raise SaflexValueError("the model made no pass")
    return towers.encoded


def _last_layer(towers: Towers) -> dict[str, str]:
    """Field of `Encoded` → name of the parameter, for what trains of the projections and the scale.

    Raises:
        SaflexValueError: if a projection is not there, is not the model's parameter, or nothing trains.
    """
    names = {parameter: name for name, parameter in towers.named_parameters()}
    encoded, found = _latest(towers), {}
    for role in ("image_projection", "text_projection", "logit_scale"):
        tensor = getattr(encoded, role)
        if role != "logit_scale" and (tensor is None or tensor not in names):
            raise SaflexValueError(
                f"scope head needs {role}, the model's parameter itself, in what the model returns; or use scope='all'"
            )
        if tensor in names and tensor.requires_grad:
            found[role] = names[tensor]
    if not found:
        raise SaflexValueError("the projections and the scale are frozen, so Π over them is zero: use scope='all'")
    return found
