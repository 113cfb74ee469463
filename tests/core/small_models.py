"""Tiny float64 problems with every kind of layer that treats Π differently: three classes, four samples, five outer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from timm.models.vision_transformer import VisionTransformer as TimmVisionTransformer
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import VisionTransformer as TorchvisionVisionTransformer

from saflex_cli import mixed_rows
from saflex_cli.models.saint import Saint

CLASSES, BATCH, OUTER = 3, 4, 5


@dataclass(frozen=True)
class Problem:
    """A model with a batch and an outer batch."""

    model: nn.Module
    inputs: Any
    outer_inputs: Any
    outer_labels: Tensor
    upstream_labels: Tensor
    head: str
    """Dotted name of the classifier layer."""

    def arguments(self) -> dict[str, Any]:
        """Of `alignment` and of its twins."""
        return {
            "model": self.model,
            "inputs": self.inputs,
            "outer_inputs": self.outer_inputs,
            "outer_labels": self.outer_labels,
        }

    def call(self) -> dict[str, Any]:
        """Of `Saflex.__call__`."""
        return {**self.arguments(), "upstream_labels": self.upstream_labels}


class Tied(nn.Module):
    """One weight in two places: an autoencoder's, then a linear head."""

    def __init__(self):
        super().__init__()
        self.down, self.up, self.head = nn.Linear(6, 4), nn.Linear(6, 4), nn.Linear(4, CLASSES)
        self.up.weight = self.down.weight

    def forward(self, inputs):
        return self.head(torch.tanh(self.up(torch.tanh(self.down(inputs) @ self.down.weight))))


class Pair(nn.Module):
    """Takes a tuple of two tensors as its single argument."""

    def __init__(self):
        super().__init__()
        self.left, self.right, self.head = nn.Linear(6, 4), nn.Linear(2, 4), nn.Linear(4, CLASSES)

    def forward(self, inputs):
        left, right = inputs
        return self.head(torch.tanh(self.left(left) + self.right(right)))


class Tabular(nn.Module):
    """Takes a dict of numbers and category indices as its single argument."""

    def __init__(self):
        super().__init__()
        self.numbers, self.category, self.head = nn.Linear(6, 4), nn.Embedding(3, 4), nn.Linear(4, CLASSES)

    def forward(self, inputs):
        return self.head(torch.tanh(self.numbers(inputs["numbers"]) + self.category(inputs["category"])))


class PartlyUsed(nn.Module):
    """Holds a trainable layer that the forward pass leaves out."""

    def __init__(self):
        super().__init__()
        self.body, self.spare, self.head = nn.Linear(6, 4), nn.Linear(6, 4), nn.Linear(4, CLASSES)

    def forward(self, inputs):
        return self.head(torch.tanh(self.body(inputs)))


class NeverAtRest(nn.Module):
    """Draws random numbers and counts its calls in evaluation mode too, as Monte-Carlo dropout does."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(6, 8), nn.Linear(8, CLASSES)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, inputs):
        self.calls += 1
        return self.head(functional.dropout(torch.tanh(self.body(inputs)), 0.5, training=True))


class Recurrent(nn.Module):
    """Keeps its parameters in a second, flat list, as `torch.nn.GRU` does."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.GRU(1, 4, batch_first=True), nn.Linear(4, CLASSES)

    def forward(self, inputs):
        return self.head(self.body(inputs[..., None])[0][:, -1])


def conv_net() -> nn.Sequential:
    """With BatchNorm and an in-place activation."""
    return randomised(
        nn.Sequential(
            nn.Conv2d(1, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(16, CLASSES),
        )
    )


def dropout_mlp() -> nn.Sequential:
    """With BatchNorm and dropout."""
    return randomised(
        nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.GELU(), nn.Dropout(0.5), nn.Linear(8, CLASSES))
    )


def smooth_mlp() -> nn.Sequential:
    """No kink, no randomness, no coupling between samples."""
    return randomised(nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, CLASSES)))


def timm_vit() -> nn.Module:
    """Attention through `scaled_dot_product_attention`."""
    model = TimmVisionTransformer(
        img_size=8, patch_size=4, in_chans=1, num_classes=CLASSES, embed_dim=8, depth=1, num_heads=2
    )
    assert model.blocks[0].attn.fused_attn
    return randomised(model)


def torchvision_vit() -> nn.Module:
    """Attention through `nn.MultiheadAttention`, with dropout in attention and MLP."""
    return randomised(
        TorchvisionVisionTransformer(
            image_size=16,
            patch_size=8,
            num_layers=1,
            num_heads=2,
            hidden_dim=8,
            mlp_dim=16,
            num_classes=CLASSES,
            dropout=0.1,
            attention_dropout=0.1,
        )
    )


def saint(*, row_attention: bool = False) -> nn.Module:
    """Attention between the columns of a table, and between the rows of a batch; dropout on attention weights."""
    model = Saint(
        continuous=3,
        levels=(3, 2),
        classes=CLASSES,
        dim=4,
        depth=1,
        heads=2,
        row_attention=row_attention,
        attention_dropout=0.3,
        feedforward_dropout=0.3,
    )
    # Of the published width, the classifier would take most of the time.
    model.hidden[0], model.head = nn.Linear(4, 20), nn.Linear(20, CLASSES)
    return randomised(model)


def randomised(model: nn.Module) -> nn.Module:
    """Double precision, with parameters and running statistics far from their (often zero) initial values."""
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.4)
    for name, buffer in model.named_buffers():
        if "running" in name:
            buffer.uniform_(0.5, 1.5)
    return model.double()


def vectors(count: int) -> Tensor:
    return torch.randn(count, 6, dtype=torch.float64)


def pictures(count: int, channels: int = 1, side: int = 8) -> Tensor:
    return torch.randn(count, channels, side, side, dtype=torch.float64)


def pairs(count: int) -> tuple[Tensor, Tensor]:
    return vectors(count), torch.randn(count, 2, dtype=torch.float64)


def tables(count: int) -> dict[str, Tensor]:
    return {"numbers": vectors(count), "category": torch.randint(3, (count,))}


def rows(count: int) -> Tensor:
    """Three numbers, one of them missing, and two codes."""
    numbers = torch.randn(count, 3, dtype=torch.float64)
    numbers[0, 1] = torch.nan
    return torch.cat([numbers, torch.randint(3, (count, 1)).double(), torch.randint(2, (count, 1)).double()], dim=1)


def row_pairs(count: int) -> Tensor:
    """To be mixed as tokens."""
    return mixed_rows.pack(rows(count), rows(count), torch.rand(count).double())


def problem_of(
    model: nn.Module, draw: Callable[[int], Any], head: str, *, batch: int = BATCH, outer: int = OUTER
) -> Problem:
    """A problem with random inputs, random outer classes and soft upstream labels."""
    return Problem(
        model=model,
        inputs=draw(batch),
        outer_inputs=draw(outer),
        outer_labels=torch.randint(CLASSES, (outer,)),
        upstream_labels=torch.randn(batch, CLASSES, dtype=torch.float64).softmax(1),
        head=head,
    )


def _conv_eval() -> Problem:
    return problem_of(conv_net().eval(), pictures, "5")


def _conv_frozen_norm() -> Problem:
    model = conv_net()
    model[1].eval()
    return problem_of(model, pictures, "5")


def _conv_frozen_body() -> Problem:
    model = conv_net()
    model[0].requires_grad_(requires_grad=False)
    return problem_of(model, pictures, "5")


def _parametrized_body() -> Problem:
    model = smooth_mlp()
    torch.nn.utils.parametrize.register_parametrization(model[0], "weight", nn.Tanh())
    return problem_of(model, vectors, "2")


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "conv": lambda: problem_of(conv_net(), pictures, "5"),
    "conv-eval": _conv_eval,
    "conv-frozen-norm": _conv_frozen_norm,
    "conv-frozen-body": _conv_frozen_body,
    "dropout": lambda: problem_of(dropout_mlp(), vectors, "4"),
    "timm-vit": lambda: problem_of(timm_vit(), pictures, "head"),
    "torchvision-vit": lambda: problem_of(torchvision_vit(), lambda n: pictures(n, 3, 16), "heads.head"),
    "never-at-rest": lambda: problem_of(randomised(NeverAtRest()), vectors, "head"),
    "tied": lambda: problem_of(randomised(Tied()), vectors, "head"),
    "tuple": lambda: problem_of(randomised(Pair()), pairs, "head"),
    "dict": lambda: problem_of(randomised(Tabular()), tables, "head"),
    "saint": lambda: problem_of(saint(), rows, "head"),
    "saint-rows": lambda: problem_of(saint(row_attention=True), rows, "head"),
    "saint-pairs": lambda: problem_of(saint(), row_pairs, "head"),
    "recurrent": lambda: problem_of(randomised(Recurrent()), vectors, "head"),
    "partly-used": lambda: problem_of(randomised(PartlyUsed()), vectors, "head"),
    "parametrized-body": _parametrized_body,
}
