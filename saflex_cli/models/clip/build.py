"""From a recipe's CLIP to its two towers."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import nn

from saflex_cli.config.clip import Clip, ClipArchitecture
from saflex_cli.errors import RecipeError
from saflex_cli.models.clip.package import open_clip
from saflex_cli.models.clip.towers import ClipTowers
from saflex_cli.models.clip.weights import load_weights, pretrained_file
from saflex_cli.seeding import Streams


def build_clip(config: Clip, *, root: Path, streams: Streams) -> ClipTowers:
    """The towers with downloaded, stored or random weights; random ones are drawn from the stream `init`.

    The global random state is left alone. All parameters train, also the scale.

    Args:
        config: From the recipe.
        root: The data root, where relative files are.
        streams: Of the run.

    Raises:
        RecipeError: for an architecture that open_clip does not know or the core cannot use, or weights that were
            trained with another activation.
        CheckpointError: if weights cannot be downloaded or read, or belong to another architecture.
        SaflexError: if open_clip is not installed.
    """
    architecture, name = _architecture(config, root)
    file = None if config.weights is None else root / config.weights
    if file is not None and not file.is_file() and name is not None:
        file = pretrained_file(name, str(config.weights), quick_gelu=bool(architecture.get("quick_gelu")), tried=file)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(streams.number("init"))
        clip = open_clip().CLIP(**architecture)
    _check_ends(clip, name or "this architecture")
    if file is not None:
        load_weights(clip, file, named=name or "the recipe's architecture")
    if config.grad_checkpointing:
        clip.set_grad_checkpointing(True)
    return ClipTowers(clip, in_bfloat16=config.precision == "bfloat16")


def _architecture(config: Clip, root: Path) -> tuple[dict[str, Any], str | None]:
    """Arguments of `open_clip.CLIP`, and the name where open_clip knows it by one."""
    chosen = config.architecture
    if isinstance(chosen, ClipArchitecture):
        return chosen.model_dump(), None
    if chosen.endswith(".json"):
        return _from_file(root / chosen).model_dump(), None
    package = open_clip()
    known = package.list_models()
    if chosen not in known:
        near = get_close_matches(chosen, known, n=1, cutoff=0.0)[0]
        raise RecipeError(f"model: open_clip has no architecture {chosen!r}; did you mean {near}?")
    found: dict[str, Any] = package.get_model_config(chosen)
    towers = found["vision_cfg"], found["text_cfg"]
    if found.get("custom_text") or any("timm_model_name" in tower or "hf_model_name" in tower for tower in towers):
        raise RecipeError(_no_matrix(chosen))
    return found, chosen


def _from_file(path: Path) -> ClipArchitecture:
    try:
        return ClipArchitecture.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RecipeError(f"model: {path}: cannot be read ({error.strerror}); check the path") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise RecipeError(f"{path}: {place}: {first['msg']}; see saflex_cli/config/clip.py for the keys") from error


def _check_ends(clip: Any, named: str) -> None:  # noqa: ANN401 - open_clip carries no types
    ends = getattr(clip.visual, "proj", None), clip.text_projection
    if not all(isinstance(end, nn.Parameter) for end in ends) or clip.logit_scale.ndim or clip.logit_bias is not None:
        raise RecipeError(_no_matrix(named))


def _no_matrix(named: str) -> str:
    return (
        f"model: the towers of {named} are not those of a plain CLIP with a projection matrix each; take one of its "
        "vision transformers, such as ViT-B-16-quickgelu"
    )
