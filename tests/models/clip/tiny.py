"""A CLIP for images of 32 pixels with random weights, and what it reads."""

from pathlib import Path

import open_clip
import torch

from saflex_cli.config.clip import Clip
from saflex_cli.models.clip.build import build_clip
from saflex_cli.seeding import Streams

ARCHITECTURE = {
    "embed_dim": 24,
    "quick_gelu": False,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}
CAPTIONS = [["a photo of a zebra.", "a zebra in the wild."], ["a photo of an elephant.", "an elephant in the wild."]]
TEXTS = ["a photo of a zebra.", "an elephant in the wild.", "a photo of a zebra.", "empty"]


def config(**changes) -> Clip:
    return Clip.model_validate({"name": "clip", "architecture": ARCHITECTURE, "weights": None, **changes})


def towers(seed=0, **changes):
    return build_clip(config(**changes), root=Path(), streams=Streams(seed))


def original(seed=0):
    """The model of open_clip that the towers are taken from."""
    torch.manual_seed(Streams(seed).number("init"))
    return open_clip.CLIP(**ARCHITECTURE)


def pictures(count=4):
    return torch.randint(256, (count, 3, 32, 32), dtype=torch.uint8)


def batches():
    """Eight images of two classes, in two batches; the same at every call."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (8, 3, 32, 32), dtype=torch.uint8, generator=generator)
    labels = torch.tensor([0, 1, 0, 1, 1, 0, 1, 0])
    return list(zip(images.split(5), labels.split(5), strict=True))
