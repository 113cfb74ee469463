"""What cannot work is refused with a message that says what is wrong, and names the argument."""

import pytest
import torch
from torch import nn

from saflex_cli.core import PRESETS, Saflex, alignment
from saflex_cli.errors import SaflexValueError
from tests.core.small_models import BATCH, Problem, problem_of, smooth_mlp, vectors

WITH_OUTER_DATA = [preset for preset, settings in PRESETS.items() if settings.needs_outer]


@pytest.fixture
def problem() -> Problem:
    return problem_of(smooth_mlp(), vectors, "2")


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_a_call_without_gradients_is_refused(problem, context):
    """Its logits are the training forward pass: without a graph they would be useless."""
    with context(), pytest.raises(SaflexValueError, match="where gradients are enabled"):
        Saflex(preset="lp")(**problem.call())


@pytest.mark.parametrize("missing", ["outer_inputs", "outer_labels"])
@pytest.mark.parametrize("preset", WITH_OUTER_DATA)
def test_missing_outer_data_are_refused(problem, preset, missing):
    with pytest.raises(SaflexValueError, match="needs outer_inputs and outer_labels"):
        Saflex(preset=preset)(**{**problem.call(), missing: None})


def test_precondition_without_an_optimizer_is_refused(problem):
    with pytest.raises(SaflexValueError, match="precondition needs the optimizer"):
        Saflex(preset="lp", precondition=True)(**problem.call())


def test_unknown_names_are_refused():
    """The message lists what there is."""
    with pytest.raises(SaflexValueError, match=r"unknown preset 'papr'; there are: default, paper, lp,.* l2rw"):
        Saflex(preset="papr")
    with pytest.raises(SaflexValueError, match=r"unknown setting 'temprature'; there are: .*temperature"):
        Saflex(preset="paper", temprature=1.0)


class Reshaped(nn.Module):
    """A model whose output is no matrix of logits."""

    def __init__(self, output):
        super().__init__()
        self.body, self.output = smooth_mlp(), output

    def forward(self, inputs):
        return self.output(self.body(inputs))


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (lambda logits: logits[:, :, None], r"\(B, K\) with K ≥ 2, not \(\d, 3, 1\)"),
        (lambda logits: logits[:, 0], r"\(B, K\) with K ≥ 2, not \(\d,\)"),
        (lambda logits: logits[:, :1], r"\(B, K\) with K ≥ 2, not \(\d, 1\)"),
        (lambda logits: logits.argmax(1, keepdim=True).repeat(1, 2), r"torch.int64"),
        (lambda logits: (logits, None), "a tensor of logits .* not tuple"),
    ],
    ids=["3-D", "1-D", "one-class", "integers", "tuple"],
)
@pytest.mark.parametrize("preset", ["lp", "proximal", "bootstrap"])
def test_models_without_logits_are_refused(problem, preset, output, message):
    """The message shows the shape that the model returned."""
    with pytest.raises(SaflexValueError, match=message):
        Saflex(preset=preset)(**{**problem.call(), "model": Reshaped(output)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("upstream_labels", torch.tensor([0, 1, 2])),
        ("upstream_labels", torch.tensor([0, 1, 2, 3])),
        ("outer_labels", torch.tensor([0, 1, 2])),
        ("outer_labels", torch.tensor([0, 1, 2, 0, -1])),
        ("upstream_weights", torch.ones(BATCH, 1, dtype=torch.float64)),
        ("upstream_weights", torch.ones(BATCH + 1, dtype=torch.float64)),
    ],
    ids=["upstream-length", "upstream-class", "outer-length", "outer-class", "weights-column", "weights-length"],
)
@pytest.mark.usefixtures("as_installed")
def test_what_does_not_fit_is_refused_by_name(problem, name, value):
    """A user without shape checks meets an error that names the argument, never a broadcast."""
    with pytest.raises(SaflexValueError, match=name):
        Saflex(preset="lp")(**{**problem.call(), name: value})


@pytest.mark.parametrize(
    "choice",
    [{"scope": "haed"}, {"of": "probs"}, {"mode": "evaluate"}, {"sign": 5}, {"outer_reduction": "sums"}],
    ids=lambda choice: next(iter(choice)),
)
@pytest.mark.usefixtures("as_installed")
def test_a_choice_that_does_not_exist_is_refused(problem, choice):
    """A typing error must not run as something else."""
    with pytest.raises(SaflexValueError, match="must be"):
        alignment(**problem.arguments(), **choice)


@pytest.mark.usefixtures("as_installed")
def test_an_empty_outer_batch_is_refused(problem):
    arguments = problem.arguments()
    arguments["outer_inputs"], arguments["outer_labels"] = arguments["outer_inputs"][:0], arguments["outer_labels"][:0]
    with pytest.raises(SaflexValueError, match="outer_labels: the batch is empty"):
        alignment(**arguments)


@pytest.mark.parametrize("weight", [-2.0, 1.5])
def test_upstream_weights_lie_between_zero_and_one(problem, weight):
    with pytest.raises(SaflexValueError, match=r"upstream_weights must lie in \[0, 1\]"):
        Saflex(preset="lp")(**problem.call(), upstream_weights=torch.full((BATCH,), weight, dtype=torch.float64))
