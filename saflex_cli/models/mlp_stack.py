"""Several multilayer perceptrons of one form as one: the seeds of a comparison side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional

from saflex_cli import mixed_rows
from saflex_cli.errors import SaflexValueError
from saflex_cli.models.dense_rows import DenseRows, split_columns
from saflex_cli.models.mlp import Mlp
from saflex_cli.models.standardise import Standardised, standardise

Batch = Float[Tensor, "seeds batch ..."] | UInt8[Tensor, "seeds batch ..."]
Layer = Float[Tensor, "seeds batch _"]
Noise = Sequence[Layer]
"""Per hidden layer what its units are multiplied with: 0 or 1 / (1 − p)."""


@dataclass(frozen=True)
class StackedPass:
    """One forward pass, with what its derivatives need."""

    logits: Float[Tensor, "seeds batch classes"]
    samples: Batch
    inputs: tuple[Layer, ...]
    """Of every linear layer, in order; the last ones are the features of the head."""
    active: tuple[Layer, ...]
    """Every hidden layer after its ReLU, before dropout."""
    noise: Noise | None

    @property
    def features(self) -> Layer:
        """The head's input, detached."""
        return self.inputs[-1].detach()


class MlpStack:
    """S networks `Mlp` without BatchNorm behind their input normalisation, each with its own samples and parameters.

    Every parameter is the networks' own, one after the other along its first dimension, so that only widths need to
    be equal: tables of embeddings may have more rows in one network than in another.
    """

    def __init__(self, models: Sequence[Standardised]) -> None:
        """Copies the networks' parameters.

        Raises:
            SaflexValueError: if the networks are no such `Mlp`, or do not have equal widths.
        """
        first = models[0]
        self.count, self.mean, self.std = len(models), first.mean, first.std
        self.rows = _dense_rows(first)
        """What makes rows of a table dense, in the form of the first network; its parameters are not used."""
        linear = {name: module for name, module in first.named_modules() if isinstance(module, nn.Linear)}
        self.layers = tuple(linear)
        """Names of the linear layers, the head last."""
        self.widths = tuple(layer.out_features for layer in linear.values())[:-1]
        """Of the hidden layers."""
        states = [model.state_dict() for model in models]
        if any(_form(model) != _form(first) for model in models):
            raise SaflexValueError("the networks of the seeds differ in their widths")
        self.sizes = {name: [len(state[name]) for state in states] for name in states[0]}
        self.parameters = {name: torch.cat([state[name] for state in states]).requires_grad_() for name in states[0]}
        self.offsets = {name: self._offsets(name) for name in self.sizes}
        """Where each network's part of a parameter begins, (S, 1)."""

    def forward(self, samples: Batch, noise: Noise | None = None) -> StackedPass:
        """Logits in training (with dropout's noise) or in evaluation (without)."""
        hidden = self._rows(samples, self.parameters)
        inputs, active = [hidden], []
        for index, name in enumerate(self.layers[:-1]):
            active.append(self._linear(name, hidden, self.parameters).relu_())
            hidden = active[-1] if noise is None else active[-1] * noise[index]
            inputs.append(hidden)
        logits = self._linear(self.layers[-1], hidden, self.parameters)
        return StackedPass(logits, samples, tuple(inputs), tuple(active), noise)

    @torch.no_grad()
    def velocity(self, at: StackedPass, tangents: Mapping[str, Tensor]) -> Float[Tensor, "seeds batch classes"]:
        """The derivative of a pass's logits when the parameters move along the tangents, network by network."""
        moving = self._embedded_velocity(at.samples, tangents)
        for index, name in enumerate(self.layers[:-1]):
            moving = self._linear_velocity(name, at.inputs[index], moving, tangents)
            moving.mul_(at.active[index].sign())
            if at.noise is not None:
                moving.mul_(at.noise[index])
        return self._linear_velocity(self.layers[-1], at.inputs[-1], moving, tangents)

    @torch.no_grad()
    def head_velocity(self, at: StackedPass, tangents: Mapping[str, Tensor]) -> Float[Tensor, "seeds batch classes"]:
        """The same where the head's parameters alone move."""
        return self._linear_velocity(self.layers[-1], at.inputs[-1], None, tangents)

    def split(self, tensors: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
        """Tensors of the parameters' shapes, apart by network: for the parameters themselves, the state of each."""
        parts = {name: tensor.split(self.sizes[name]) for name, tensor in tensors.items()}
        return [{name: own[index] for name, own in parts.items()} for index in range(self.count)]

    def _offsets(self, name: str) -> Int[Tensor, "seeds 1"]:
        ends = torch.tensor([0, *self.sizes[name][:-1]], device=self.parameters[name].device).cumsum(0)
        return ends[:, None]

    def _linear(self, name: str, inputs: Layer, parameters: Mapping[str, Tensor]) -> Layer:
        weight = self._weight(name, parameters)
        return torch.baddbmm(self._bias(name, parameters), inputs, weight.mT)

    def _linear_velocity(self, name: str, inputs: Layer, moving: Layer | None, tangents: Mapping[str, Tensor]) -> Layer:
        """Of a linear layer's output, where its inputs move, too, unless `moving` is None."""
        own = self._product(name, inputs, tangents)
        if moving is None:
            return own.add_(self._bias(name, tangents))
        return self._product(name, moving, self.parameters).add_(self._bias(name, tangents)).add_(own)

    def _product(self, name: str, inputs: Layer, parameters: Mapping[str, Tensor]) -> Layer:
        return torch.bmm(inputs, self._weight(name, parameters).mT)

    def _weight(self, name: str, parameters: Mapping[str, Tensor]) -> Float[Tensor, "seeds out in"]:
        weight = parameters[f"{name}.weight"]
        return weight.view(self.count, -1, weight.shape[1])

    def _bias(self, name: str, parameters: Mapping[str, Tensor]) -> Float[Tensor, "seeds 1 out"]:
        return parameters[f"{name}.bias"].view(self.count, 1, -1)

    def _rows(self, samples: Batch, parameters: Mapping[str, Tensor]) -> Layer:
        """What the first linear layer takes."""
        rows = samples
        if not samples.is_floating_point() or (self.mean, self.std) != (0.0, 1.0):
            rows = standardise(samples, self.mean, self.std)
        layer = self.rows
        if layer is None:
            return rows.flatten(2)
        return mixed_rows.encode(rows, layer.columns, lambda plain: self._dense(layer, plain, parameters))

    def _dense(
        self, layer: DenseRows, rows: Layer, parameters: Mapping[str, Tensor], *, velocity: bool = False
    ) -> Layer:
        values, missing, codes = split_columns(rows, layer.continuous)
        parts = [values, missing.to(values)] if layer.missing_indicator else [values]
        if velocity:
            parts = [torch.zeros_like(part) for part in parts]
        for column in range(len(layer.embeddings)):
            name = f"net.rows.embeddings.{column}.weight"
            parts.append(functional.embedding(codes[..., column] + self.offsets[name], parameters[name]))
        return torch.cat(parts, dim=-1)

    def _embedded_velocity(self, samples: Batch, tangents: Mapping[str, Tensor]) -> Layer | None:
        """How the first layer's input moves: with the embeddings alone, in which it is linear."""
        layer = self.rows
        if layer is None or not len(layer.embeddings):
            return None
        return mixed_rows.encode(
            samples, layer.columns, lambda plain: self._dense(layer, plain, tangents, velocity=True)
        )


def _dense_rows(model: Standardised) -> DenseRows | None:
    if not isinstance(model.net, Mlp) or list(model.buffers()):
        raise SaflexValueError("only networks of the kind mlp without batch_norm can be stacked")
    return model.net.rows if isinstance(model.net.rows, DenseRows) else None


def _form(model: Standardised) -> list[tuple[str, bool, torch.Size]]:
    """Parameters with all their sizes but the number of codes of an embedding."""
    layers = {f"{name}.weight": module for name, module in model.named_modules()}
    return [
        (name, p.requires_grad, p.shape[1:] if isinstance(layers.get(name), nn.Embedding) else p.shape)
        for name, p in model.named_parameters()
    ]
