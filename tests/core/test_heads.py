"""Scope `head` finds the classifier layer of foreign models, and refuses every layer in which Π would not be linear."""

import warnings

import pytest
import timm
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune
from torchvision import models

from saflex_cli.core import alignment, outer_direction
from saflex_cli.errors import SaflexValueError
from tests.core.small_models import (
    CLASSES,
    PROBLEMS,
    conv_net,
    pictures,
    randomised,
    smooth_mlp,
    torchvision_vit,
    vectors,
)
from tests.reference import reference_head_alignment

LABELS = torch.tensor([0, 1, 2, 0])
ZOO = {
    "torchvision-resnet18": (lambda: models.resnet18(num_classes=CLASSES), "fc"),
    "torchvision-vit": (lambda: torchvision_vit().float(), "heads.head"),
    "torchvision-convnext": (lambda: models.convnext_tiny(num_classes=CLASSES), "classifier.2"),
    "torchvision-mobilenet": (lambda: models.mobilenet_v3_small(num_classes=CLASSES), "classifier.3"),
    "timm-resnet": (lambda: timm.create_model("resnet10t", num_classes=CLASSES), "fc"),
    "timm-vit": (lambda: timm.create_model("vit_tiny_patch16_224", img_size=32, num_classes=CLASSES), "head"),
    "timm-convnext": (lambda: timm.create_model("convnext_atto", num_classes=CLASSES), "head.fc"),
    "sequential": (lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(CLASSES)), "3"),
    "linear": (lambda: nn.Linear(6, CLASSES), ""),
}


def zoo_batch(name: str) -> torch.Tensor:
    if name == "linear":
        return vectors(4).float()
    side = 16 if name == "torchvision-vit" else 32
    return pictures(4, 3, side).float()


@pytest.mark.parametrize("name", ZOO)
def test_found_in_foreign_models(name):
    """The head is found by what it does, whatever the library calls it."""
    build, head = ZOO[name]
    model, inputs = build().eval(), zoo_batch(name)
    model(inputs)  # for the lazy layers
    found = outer_direction(model, inputs, LABELS, scope="head")
    assert found.head is model.get_submodule(head)
    assert {key: tangent.shape for key, tangent in found.tangents.items()} == {
        key: parameter.shape for key, parameter in found.head.named_parameters()
    }


class Wrapper(nn.Module):
    """Hands out the classifier layer of the model it wraps under a second name."""

    def __init__(self):
        super().__init__()
        self.model = smooth_mlp()
        self.classifier = self.model[2]

    def forward(self, inputs):
        return self.model(inputs)


def test_found_under_two_names():
    """One layer registered twice is still one layer, called once."""
    model = Wrapper()
    assert outer_direction(model, vectors(4), LABELS, scope="head").head is model.classifier


def test_a_diverged_model_is_not_called_names():
    """Where the logits are not finite, Π is not either; the search for the head has nothing to complain about."""
    problem = PROBLEMS["tuple"]()
    with torch.no_grad():
        problem.model.left.weight.fill_(float("nan"))
    for scope in ("all", "head"):
        assert alignment(**problem.arguments(), scope=scope).matrix.isnan().all()


@pytest.mark.parametrize("by_name", [True, False])
def test_named_by_the_caller(by_name):
    """A module or its dotted name gives the Π that the search gives."""
    problem = PROBLEMS["torchvision-vit"]()
    head = problem.head if by_name else problem.model.get_submodule(problem.head)
    named = alignment(**problem.arguments(), scope="head", head=head)
    assert torch.equal(named.matrix, alignment(**problem.arguments(), scope="head").matrix)


class WithHead(nn.Module):
    """A smooth body and any head."""

    def __init__(self, head: nn.Module):
        super().__init__()
        self.body, self.head = nn.Linear(6, 4), head

    def forward(self, inputs):
        return self.head(torch.tanh(self.body(inputs)))


def head_alignment(model: nn.Module, head: nn.Module | str | None = None):
    return alignment(model.double(), vectors(4), vectors(4), LABELS, scope="head", head=head)


def test_without_bias():
    """The closed form has no bias term to add."""
    model, inputs, outer = WithHead(nn.Linear(4, CLASSES, bias=False)).double(), vectors(4), vectors(4)
    expected = reference_head_alignment(model, "head", inputs, outer, LABELS)
    torch.testing.assert_close(alignment(model, inputs, outer, LABELS, scope="head").matrix, expected)


@pytest.mark.parametrize("frozen", ["weight", "bias"])
def test_half_frozen(frozen):
    """A frozen parameter of the head does not move, so it adds nothing to Π."""
    model, inputs, outer = WithHead(nn.Linear(4, CLASSES)).double(), vectors(4), vectors(4)
    getattr(model.head, frozen).requires_grad_(requires_grad=False)
    expected = reference_head_alignment(model, "head", inputs, outer, LABELS)
    torch.testing.assert_close(alignment(model, inputs, outer, LABELS, scope="head").matrix, expected)


class Scaled(WithHead):
    def forward(self, inputs):
        return 3 * super().forward(inputs)


class ScaledInPlace(WithHead):
    """The logits are the very tensor that the layer returned, with other values."""

    def forward(self, inputs):
        return super().forward(inputs).mul_(3)


class Functional(WithHead):
    def forward(self, inputs):
        return functional.linear(torch.tanh(self.body(inputs)), self.head.weight, self.head.bias)


class ByKeyword(WithHead):
    def forward(self, inputs):
        return self.head(input=torch.tanh(self.body(inputs)))


class CalledTwice(WithHead):
    def __init__(self, head):
        super().__init__(head)
        self.back = nn.Linear(CLASSES, 4)

    def forward(self, inputs):
        features = torch.tanh(self.body(inputs))
        return self.head(features + self.back(self.head(features)))


class CosineLinear(nn.Linear):
    """As in long-tailed recognition: normalised weights and features."""

    def forward(self, inputs):
        return functional.linear(functional.normalize(inputs), functional.normalize(self.weight))


def plain_head() -> nn.Linear:
    return nn.Linear(4, CLASSES)


def frozen_head() -> nn.Linear:
    return plain_head().requires_grad_(requires_grad=False)


def hooked_head() -> nn.Linear:
    head = plain_head()
    head.register_forward_hook(lambda _module, _inputs, output: 3 * output)
    return head


def weight_normed_by_hook() -> nn.Linear:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # deprecated, and still in many code bases
        return torch.nn.utils.weight_norm(plain_head())


def shared_with_the_body() -> nn.Module:
    model = WithHead(nn.Linear(6, CLASSES))
    model.body = nn.Sequential(nn.Linear(6, CLASSES), nn.Tanh(), nn.Linear(CLASSES, 6))
    model.body[0].weight = model.head.weight
    return model


REFUSED = {
    "scaled": (lambda: Scaled(plain_head()), "no linear layer gives the model's output"),
    "functional": (lambda: Functional(plain_head()), "no linear layer gives the model's output"),
    "convolution": (
        lambda: nn.Sequential(nn.Unflatten(1, (6, 1)), nn.Conv1d(6, 3, 1), nn.Flatten()),
        "no linear layer",
    ),
    "called-twice": (lambda: CalledTwice(plain_head()), "called more than once"),
    "parametrized": (lambda: WithHead(parametrizations.weight_norm(plain_head())), "parametrized"),
    "frozen": (lambda: WithHead(frozen_head()), "frozen"),
}

# What follows is not linear in the parameters of a layer whose output *is* the model's output.
REFUSED_IN_DISGUISE = {
    "scaled-in-place": lambda: ScaledInPlace(plain_head()),
    "own-forward": lambda: WithHead(CosineLinear(4, CLASSES, bias=False)),
    "hooked": lambda: WithHead(hooked_head()),
    "weight-norm-by-hook": lambda: WithHead(weight_normed_by_hook()),
    "spectral-norm-by-hook": lambda: WithHead(torch.nn.utils.spectral_norm(plain_head())),
    "pruned": lambda: WithHead(prune.l1_unstructured(plain_head(), "weight", amount=0.3)),
    "shared-with-the-body": shared_with_the_body,
    "called-by-keyword": lambda: ByKeyword(plain_head()),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_advice(name):
    """What is no linear head is refused, and the message says what to do instead."""
    build, message = REFUSED[name]
    with pytest.raises(SaflexValueError, match=f"{message}.*scope='all'"):
        head_alignment(build())


@pytest.mark.parametrize("name", REFUSED_IN_DISGUISE)
def test_refused_or_right(name):
    """A head that only looks linear is refused, or Π over it is the double loop's: never silently wrong."""
    model, inputs, outer = REFUSED_IN_DISGUISE[name]().double().eval(), vectors(4), vectors(4)
    with torch.no_grad():
        model(inputs)  # layers that compute their weight in a hook then hold one that can be copied
    expected = reference_head_alignment(model, "head", inputs, outer, LABELS)
    try:
        found = alignment(model, inputs, outer, LABELS, scope="head").matrix
    except SaflexValueError as refusal:
        assert "scope='all'" in str(refusal)  # noqa: PT017 - either outcome is right
    else:
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("classifier", "'classifier' is not a module of the model"),
        (nn.Linear(4, CLASSES), "is not a module of the model"),
        ("body", "no linear layer gives the model's output"),
        ("1", "must be a torch.nn.Linear, not BatchNorm2d"),
    ],
    ids=["unknown-name", "foreign-module", "another-layer", "not-linear"],
)
def test_wrongly_named(head, message):
    """Names that do not exist, modules of another model and layers of another kind are told apart."""
    if head == "1":
        model, inputs = conv_net(), pictures(4)
    else:
        model, inputs = randomised(WithHead(plain_head())), vectors(4)
    with pytest.raises(SaflexValueError, match=message):
        alignment(model, inputs, inputs, LABELS, scope="head", head=head)


def scaled_by_a_hook(layer: nn.Linear) -> None:
    layer.register_forward_hook(lambda _layer, _inputs, output: output.mul_(2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (scaled_by_a_hook, "not linear in its parameters"),
        (parametrizations.weight_norm, "parametrized"),
        (lambda layer: prune.l1_unstructured(layer, "weight", amount=0.3), "parametrized"),
        (lambda layer: layer.requires_grad_(requires_grad=False), "frozen"),
        (lambda layer: setattr(layer, "forward", lambda h: layer.weight.sum() * h[:, :CLASSES]), "not linear"),
    ],
    ids=["hooked", "weight-norm", "pruned", "frozen", "own-forward"],
)
def test_a_head_that_changes_is_looked_at_again(change, message):
    """A step does not compare a known head's logits anew, but what is done to the layer afterwards is noticed."""
    model = WithHead(plain_head()).double()
    head_alignment(model)
    change(model.head)
    with pytest.raises(SaflexValueError, match=message):
        head_alignment(model)


def test_a_known_head_is_compared_once(monkeypatch):
    """Comparing makes a GPU wait."""
    compared = []
    allclose = torch.allclose
    monkeypatch.setattr(torch, "allclose", lambda *given, **named: compared.append(1) or allclose(*given, **named))
    model = WithHead(plain_head()).double()
    for _ in range(3):
        head_alignment(model)
    assert len(compared) == 1
    head_alignment(model.eval())
    assert len(compared) == 2


def test_a_diverged_model_is_not_known_as_linear():
    """Its logits could not be compared, so the next ones are."""
    model = WithHead(plain_head()).double()
    scaled_by_a_hook(model.head)
    weight = model.head.weight.detach().clone()
    with torch.no_grad():
        model.head.weight.fill_(float("nan"))
    head_alignment(model)
    with torch.no_grad():
        model.head.weight.copy_(weight)
    with pytest.raises(SaflexValueError, match="not linear"):
        head_alignment(model)


def test_no_hook_is_left_behind():
    """Neither a success nor a refusal leaves a forward hook on the model."""
    for model in (smooth_mlp(), Scaled(plain_head())):
        try:
            head_alignment(model)
        except SaflexValueError:
            assert isinstance(model, Scaled)
        assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize(
    "norm", [parametrizations.weight_norm, parametrizations.spectral_norm], ids=["weight-norm", "spectral-norm"]
)
def test_the_advice_to_use_all_parameters_is_followed_by_an_answer(norm):
    """A parametrized head is sent to scope `all`: that works, or says in its own words why not."""
    model, inputs, outer = WithHead(norm(plain_head())).double(), vectors(4), vectors(4)
    with pytest.raises(SaflexValueError, match="scope='all'"):
        alignment(model, inputs, outer, LABELS, scope="head")
    try:
        alignment(model, inputs, outer, LABELS)
    except SaflexValueError as refusal:
        assert "derivative" in str(refusal)  # noqa: PT017 - either outcome is right
