"""Weights of CLIP in open_clip's own layout: found, checked against the architecture, loaded, and handed back."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from saflex_cli.errors import CheckpointError, RecipeError
from saflex_cli.models.clip.package import open_clip
from saflex_cli.models.clip.towers import MEAN, STD, ClipTowers

_FACTS = ("input_resolution", "context_length", "vocab_size")
"""Numbers that OpenAI's files carry beside the weights."""
_SHOWN = 3
_NAMES = {"image_tower.projection": "visual.proj", "text_tower.projection": "text_projection"}
_PREFIXES = {"image_tower.visual.": "visual.", "text_tower.body.": ""}


def pretrained_file(architecture: str, tag: str, *, quick_gelu: bool, tried: Path) -> Path:
    """The file with open_clip's weights of this name, downloaded once into the cache of the Hugging Face Hub.

    Args:
        architecture: As open_clip names it.
        tag: Name of the weights.
        quick_gelu: Whether the architecture has that activation.
        tried: The file that was looked for under the same name, for the message.

    Raises:
        RecipeError: for an unknown name, or weights that were trained with the other activation or other pixels.
        CheckpointError: if the download fails.
    """
    package = open_clip()
    source = package.get_pretrained_cfg(architecture, tag)
    if not source:
        tags = ", ".join(package.list_pretrained_tags_by_model(architecture)) or "none"
        raise RecipeError(
            f"model: {architecture} has no weights {tag!r} (there are: {tags}), and {tried} is no file; check the name"
        )
    if bool(source.get("quick_gelu")) != quick_gelu:
        raise RecipeError(
            f"model: the weights {tag!r} were trained with {'QuickGELU' if not quick_gelu else 'GELU'}, and "
            f"{architecture} computes with {'QuickGELU' if quick_gelu else 'GELU'}; "
            f"use architecture: {_other_activation(architecture)}"
        )
    if (tuple(source.get("mean") or MEAN), tuple(source.get("std") or STD)) != (MEAN, STD):
        raise RecipeError(
            f"model: the weights {tag!r} of {architecture} expect pixels with another mean and std than CLIP's "
            "own, which is not supported; take other weights"
        )
    try:
        return Path(package.download_pretrained(source))
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(
            f"the weights {tag!r} of {architecture} cannot be downloaded ({reason}). Where there is a network, get "
            f"{_address(source)}, put it under the data root, and set weights: to the file"
        ) from error


def load_weights(clip: nn.Module, file: Path, *, named: str) -> None:
    """Into a model of open_clip, which must have exactly these entries with these shapes.

    Raises:
        CheckpointError: if the file is not there, holds no state dict, or one of another architecture.
    """
    found = _read(file)
    expected = clip.state_dict()
    faults = [
        *_fault("missing", expected.keys() - found.keys()),
        *_fault("unexpected", found.keys() - expected.keys()),
        *_fault(
            "of another shape",
            [
                f"{name} {tuple(found[name].shape)} for {tuple(expected[name].shape)}"
                for name in found.keys() & expected.keys()
                if found[name].shape != expected[name].shape
            ],
        ),
    ]
    if faults:
        raise CheckpointError(
            f"{file}: does not hold the weights of {named}: {'; '.join(faults)}. Set architecture: to that of the file"
        )
    clip.load_state_dict(found)


def open_clip_state(towers: ClipTowers) -> dict[str, Tensor]:
    """The weights under open_clip's names, so that `load_weights` and open_clip itself can load them."""
    return {_open_clip_name(name): tensor for name, tensor in towers.state_dict().items()}


def _open_clip_name(name: str) -> str:
    for prefix, theirs in _PREFIXES.items():
        if name.startswith(prefix):
            return theirs + name.removeprefix(prefix)
    return _NAMES.get(name, name)


def _read(file: Path) -> dict[str, Tensor]:
    try:
        if file.suffix == ".safetensors":
            content = load_file(file)
        else:
            content = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{file}: no such file; set weights: to one, or to null for random weights") from error
    except (SafetensorError, OSError, RuntimeError, UnpicklingError, EOFError) as error:
        raise CheckpointError(
            f"{file}: cannot be read as weights ({type(error).__name__}); it must be a safetensors file or a state "
            "dict saved by torch, not a whole model: save model.state_dict() of it"
        ) from error
    state = content.get("state_dict", content) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise CheckpointError(f"{file}: holds no state dict; save model.state_dict()")
    return {name.removeprefix("module."): tensor for name, tensor in state.items() if name not in _FACTS}


def _fault(kind: str, names: Iterable[str]) -> list[str]:
    ordered = sorted(names)
    if not ordered:
        return []
    more = ", …" if len(ordered) > _SHOWN else ""
    return [f"{len(ordered)} {kind} ({', '.join(ordered[:_SHOWN])}{more})"]


def _other_activation(architecture: str) -> str:
    ending = "-quickgelu"
    return architecture.removesuffix(ending) if architecture.endswith(ending) else architecture + ending


def _address(source: Mapping[str, str]) -> str:
    hub = source.get("hf_hub", "").rstrip("/")
    return f"open_clip_model.safetensors from https://huggingface.co/{hub}" if hub else source.get("url", "the file")
