"""A stack computes what its networks compute one by one."""

from copy import deepcopy

import pytest
import torch

from saflex_cli.errors import SaflexValueError
from saflex_cli.mixed_rows import pack
from saflex_cli.models.dense_rows import DenseRows
from saflex_cli.models.mlp import Mlp
from saflex_cli.models.mlp_stack import MlpStack
from saflex_cli.models.standardise import Standardised


def net(levels: int, *, hidden: tuple[int, ...] = (6, 5)) -> Standardised:
    rows = DenseRows(continuous=2, levels=(levels,), embedding=3, missing_indicator=True)
    return Standardised(0.0, 1.0, Mlp(inputs=rows, classes=3, hidden=hidden, dropout=0.3)).double()


def rows(count: int = 7) -> torch.Tensor:
    plain = torch.cat([torch.randn(count, 2), torch.randint(4, (count, 1))], dim=1).double()
    plain[::3, 1] = torch.nan
    return plain


def pairs(count: int = 7) -> torch.Tensor:
    return pack(rows(count), rows(count), torch.rand(count).double())


@pytest.mark.parametrize("draw", [rows, pairs])
@pytest.mark.parametrize("hidden", [(), (6,), (6, 5)])
def test_logits_and_their_derivative(draw: type, hidden: tuple[int, ...]) -> None:
    """Tables of embeddings may have more rows in one network than in the other."""
    models = [net(levels, hidden=hidden).eval() for levels in (4, 9)]
    stack = MlpStack(models)
    samples = torch.stack([draw(), draw()])
    passed = stack.forward(samples)
    tangents = {name: torch.randn_like(tensor) for name, tensor in stack.parameters.items()}
    velocity = stack.velocity(passed, tangents)
    for place, (model, tangent) in enumerate(zip(models, stack.split(tangents), strict=True)):
        logits, ahead, behind = (moved(model, tangent, by)(samples[place]) for by in (0, 1e-6, -1e-6))
        torch.testing.assert_close(passed.logits[place], logits)
        torch.testing.assert_close(velocity[place], (ahead - behind) / 2e-6, rtol=1e-5, atol=1e-6)


def moved(model: Standardised, tangent: dict[str, torch.Tensor], by: float) -> Standardised:
    copy = deepcopy(model)
    copy.load_state_dict({name: tensor + by * tangent[name] for name, tensor in model.state_dict().items()})
    return copy


def test_the_head_alone() -> None:
    stack = MlpStack([net(4), net(5)])
    passed = stack.forward(torch.stack([rows(), rows()]))
    tangents = {name: torch.randn_like(tensor) for name, tensor in stack.parameters.items()}
    still = {name: tensor * name.startswith("net.head") for name, tensor in tangents.items()}
    torch.testing.assert_close(stack.head_velocity(passed, tangents), stack.velocity(passed, still))


def test_noise_multiplies_the_hidden_units() -> None:
    stack = MlpStack([net(4), net(4)])
    noise = [torch.zeros(2, 7, width).double() for width in stack.widths]
    silent = stack.forward(torch.stack([rows(), rows()]), noise)
    bias = stack.parameters["net.head.bias"].view(2, 1, 3).expand(2, 7, 3)
    torch.testing.assert_close(silent.logits, bias)


def test_apart_again() -> None:
    models = [net(4), net(9)]
    stack = MlpStack(models)
    for model, state in zip(models, stack.split(stack.parameters), strict=True):
        torch.testing.assert_close(state, dict(model.state_dict()))


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ([net(4), net(4, hidden=(6, 4))], "differ in their widths"),
        ([net(4), net(4, hidden=(6,))], "differ in their widths"),
        ([Standardised(0.5, 0.5, Mlp(inputs=4, classes=2, hidden=(3,), dropout=0.0, batch_norm=True))], "batch_norm"),
        ([Standardised(0.5, 0.5, torch.nn.Linear(4, 2))], "mlp"),
    ],
)
def test_what_cannot_be_stacked(models: list[Standardised], said: str) -> None:
    with pytest.raises(SaflexValueError, match=said):
        MlpStack(models)
