"""Layout, compilation and half precision change speed and last digits, not what is trained or computed."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from saflex_cli.config.schema import Train
from saflex_cli.core import Saflex
from saflex_cli.errors import RecipeError
from saflex_cli.experiment import run
from saflex_cli.models.resnet import ResNet18
from saflex_cli.models.standardise import Standardised
from saflex_cli.train.acceleration import accelerate, autocast
from tests.recipes import make_recipe

WARM_UP = {"epochs": 2, "batch_size": 32}


def small_net() -> Standardised:
    torch.manual_seed(0)
    return Standardised(0.5, 0.5, ResNet18(channels=3, classes=4, width=4))


def images(count: int = 6) -> torch.Tensor:
    return torch.randint(256, (count, 3, 28, 28), generator=torch.Generator().manual_seed(1)).byte()


def losses(tmp_path: Path, method: dict[str, Any], **changes: Any) -> list[float]:
    recipe = make_recipe(tmp_path, methods=[method], train=WARM_UP | changes)
    return [report.last.test.loss for report in run(recipe, seeds=[0])]


def test_channels_last_gives_the_same_function_in_another_layout() -> None:
    plain, laid_out = small_net(), small_net()
    accelerate(laid_out, Train(epochs=1, batch_size=2, channels_last=True))
    convolution = laid_out.net.stem[0].weight
    assert convolution.is_contiguous(memory_format=torch.channels_last)
    assert not convolution.is_contiguous()
    seen: list[bool] = []
    laid_out.net.stem.register_forward_hook(
        lambda _module, inputs, _output: seen.append(inputs[0].is_contiguous(memory_format=torch.channels_last))
    )
    torch.testing.assert_close(laid_out(images()), plain(images()), rtol=1e-4, atol=1e-5)
    assert seen == [True]
    assert laid_out.state_dict().keys() == plain.state_dict().keys()


def test_channels_last_leaves_vectors_as_they_are() -> None:
    model = Standardised(0.0, 1.0, torch.nn.Linear(2, 3))
    before = model(torch.ones(4, 2))
    accelerate(model, Train(epochs=1, batch_size=2, channels_last=True))
    assert torch.equal(model(torch.ones(4, 2)), before)


@pytest.mark.parametrize("method", [{"name": "upstream"}, {"name": "saflex", "preset": "paper"}])
def test_a_run_in_channels_last_is_the_same_but_for_rounding(tmp_path: Path, method: dict[str, Any]) -> None:
    """Rounding decides single Gumbel draws of `paper`, so that its loss is compared more loosely."""
    tolerance = 0.3 if method["name"] == "saflex" else 1e-3
    assert losses(tmp_path, method, channels_last=True) == pytest.approx(losses(tmp_path, method), rel=tolerance)


def test_half_precision_reaches_the_training_pass(tmp_path: Path) -> None:
    full, half = (losses(tmp_path, {"name": "upstream"}, precision=name) for name in ("float32", "bfloat16"))
    assert full != half
    assert half == pytest.approx(full, rel=0.1)


@pytest.mark.parametrize("preset", ["paper", "proximal"])
def test_pi_and_the_solution_stay_in_single_precision(preset: str) -> None:
    """Over all parameters Π is bit for bit that of float32; over the head it is taken from bfloat16 features."""
    generator = torch.Generator().manual_seed(2)
    labels, outer_labels = torch.randint(4, (6,), generator=generator), torch.randint(4, (6,), generator=generator)

    def refine(precision: str) -> Any:
        config = Train.model_validate({"epochs": 1, "batch_size": 2, "precision": precision})
        with autocast(torch.device("cpu"), config):
            return Saflex(preset=preset)(
                model=small_net(),
                inputs=images(),
                upstream_labels=labels,
                outer_inputs=images(),
                outer_labels=outer_labels,
                generator=torch.Generator().manual_seed(3),
            )

    full, half = refine("float32"), refine("bfloat16")
    for tensor in (half.alignment, half.soft_labels, half.sample_weights):
        assert tensor.dtype == torch.float32
    if preset == "paper":
        assert torch.equal(half.alignment, full.alignment)
        assert half.logits.dtype == torch.float32
    else:
        torch.testing.assert_close(half.alignment, full.alignment, rtol=0.1, atol=0.05)
        assert half.logits.dtype == torch.bfloat16
    assert half.loss().dtype == torch.float32 or half.logits.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ({"name": "saflex", "preset": "paper"}, r"the method saflex_paper: .*scope all"),
        ({"name": "lp_a3"}, r"the method lp_a3: its features"),
    ],
)
def test_compilation_of_what_looks_inside_the_net_is_refused_by_name(
    tmp_path: Path, method: dict[str, Any], message: str
) -> None:
    with pytest.raises(RecipeError, match=r"train\.compile does not go with " + message):
        make_recipe(tmp_path, methods=[{"name": "upstream"}, method], train=WARM_UP | {"compile": True})


@pytest.mark.slow
@pytest.mark.parametrize("method", [{"name": "upstream"}, {"name": "saflex", "preset": "proximal"}])
def test_a_compiled_run_is_the_same_but_for_rounding(
    tmp_path: Path, method: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without code generation, which takes minutes: what is tested is that hooks and buffers survive the compiler."""
    compiled: list[str] = []

    def compile_for_test(self: torch.nn.Module) -> None:
        compiled.append(type(self).__name__)
        self._compiled_call_impl = torch.compile(self._call_impl, backend="aot_eager")

    monkeypatch.setattr(torch.nn.Module, "compile", compile_for_test)
    torch.compiler.reset()
    expected = losses(tmp_path, method)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's compiler warns about its own code
        assert losses(tmp_path, method, compile=True) == pytest.approx(expected, rel=1e-3)
    assert compiled
    assert "Linear" not in compiled


@pytest.mark.slow
def test_every_run_of_a_process_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch stops compiling after eight graphs, counted over all parts of all models, and says so in a log alone."""
    graphs: list[int] = []

    def count(module: torch.fx.GraphModule, _inputs: list[torch.Tensor]) -> Any:
        graphs.append(1)
        return module.forward

    def compile_for_test(self: torch.nn.Module) -> None:
        self._compiled_call_impl = torch.compile(self._call_impl, backend=count)

    monkeypatch.setattr(torch.nn.Module, "compile", compile_for_test)
    made: list[int] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's compiler warns about its own code
        for _ in range(3):
            graphs.clear()
            net = small_net()
            accelerate(net, Train(epochs=1, batch_size=2, compile=True))
            for size in (6, 6, 3):
                net(images(size)).sum().backward()
            net.eval()
            with torch.no_grad():
                net(images(5))
            made.append(len(graphs))
    assert made[0] > 8
    assert made == made[:1] * 3
