"""Forward passes that leave no trace: buffers, random state, training modes and `.grad` stay as they were."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from saflex_cli.errors import SaflexValueError

Inputs = Tensor | tuple[Any, ...] | list[Any] | dict[str, Any]


def checked_logits(output: object) -> Float[Tensor, "batch classes"]:
    """The model's output, if it is a matrix of logits with at least two classes.

    Raises:
        SaflexValueError: otherwise.
    """
    if not isinstance(output, Tensor):
        raise SaflexValueError(f"the model must return a tensor of logits (B, K), not {type(output).__name__}")
    one_pair = output.shape == (1, 1)  # of two towers, whose classes are the pairs of the batch
    if output.ndim != 2 or not (one_pair or output.shape[1] >= 2) or not output.is_floating_point():
        raise SaflexValueError(
            f"the model must return logits of shape (B, K) with K ≥ 2, not {tuple(output.shape)} {output.dtype}"
        )
    return output


def copied_buffers(model: nn.Module) -> dict[str, Tensor]:
    """Copies of all buffers: handed to `functional_call`, they take the updates that the model's own would get."""
    return {name: buffer.clone() for name, buffer in model.named_buffers()}


def traceless_forward(model: nn.Module, inputs: Inputs) -> Tensor:
    """`model(inputs)` with copied buffers, so that running statistics do not move."""
    return checked_logits(functional_call(model, copied_buffers(model), (inputs,)))


def precise(tensor: Tensor) -> Tensor:
    """Half precision raised to single; anything else as it is."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def without_autocast(model: nn.Module) -> AbstractContextManager[object]:
    """A context in which Π is computed in the parameters' own precision."""
    parameter = next(model.parameters(), None)
    device = "cpu" if parameter is None else parameter.device.type
    return torch.autocast(device, enabled=False) if torch.is_autocast_enabled(device) else nullcontext()


@contextmanager
def differentiable_attention() -> Iterator[None]:
    """Attention by kernels that have a forward derivative: the fused ones have none."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """All modules in evaluation mode; each gets its own mode back (a frozen BatchNorm stays frozen)."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def preserved_rng(model: nn.Module) -> Iterator[None]:
    """Restore the global random state of the CPU and of the model's CUDA devices afterwards."""
    with torch.random.fork_rng(devices=_cuda_devices(model)):
        yield


@contextmanager
def separate_rng(model: nn.Module) -> Iterator[None]:
    """Like `preserved_rng`, with a stream of its own inside.

    The outer pass must not reuse the dropout masks of the training pass that follows; its stream is a function of the
    global state, so that a seeded run stays reproducible.
    """
    devices = _cuda_devices(model)
    with torch.random.fork_rng(devices=devices):
        seed = int(torch.randint(2**62, ()).item())
        torch.default_generator.manual_seed(seed)
        for device in devices:
            torch.cuda.default_generators[device].manual_seed(seed)
        yield


def _cuda_devices(model: nn.Module) -> list[int]:
    if not torch.cuda.is_initialized():  # then no parameter is there, and a step need not walk through the model
        return []
    return sorted({p.device.index for p in model.parameters() if p.device.type == "cuda"})
