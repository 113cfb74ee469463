"""Images that stay on disk and are decoded when a batch of them is asked for, by several threads."""

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int, UInt8
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from saflex_cli.config.images import Fit
from saflex_cli.data.pictures import framed, open_picture
from saflex_cli.errors import DataError
from saflex_cli.seeding import Streams

WORKERS = os.cpu_count() or 1
"""Threads that decode; how many changes nothing but the speed."""
_CPU = torch.device("cpu")
_TRIES = 10
_SHOWN = 5


@dataclass(frozen=True)
class RandomCrops:
    """A window of the whole picture, resized: as torchvision's `RandomResizedCrop` draws it (Szegedy et al. 2015).

    What an image gets depends on the seed and its place alone: not on batches, threads or other images.
    """

    seed: int
    """One per epoch, so that every epoch sees other windows."""
    scale: tuple[float, float] = (0.9, 1.0)
    """Smallest and largest share of the area; the default is CLIP's own, which FLYP uses."""
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    """Smallest and largest width : height."""

    def box(self, place: int, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the window of the image at this place, in pixels.

        The area is uniform, the logarithm of the ratio likewise; after ten windows that do not fit, the largest one in
        the middle whose ratio is allowed.
        """
        generator = Streams(self.seed).generator("augment", "window", place)
        for _ in range(_TRIES):
            shares = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
            area = width * height * _between(self.scale, shares[0])
            ratio = math.exp(_between((math.log(self.ratio[0]), math.log(self.ratio[1])), shares[1]))
            wide, high = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < wide <= width and 0 < high <= height:
                left, top = int(shares[2] * (width - wide + 1)), int(shares[3] * (height - high + 1))
                return left, top, left + wide, top + high
        wide = min(width, round(height * self.ratio[1]))
        high = min(height, round(width / self.ratio[0]))
        left, top = (width - wide) // 2, (height - high) // 2
        return left, top, left + wide, top + high


@dataclass(frozen=True)
class ImageFiles(Dataset[UInt8[Tensor, "3 size size"]]):
    """Colour images of one size, indexed as a tensor (N, 3, S, S) of uint8 is, but decoded only then.

    Also a map-style torch data set, one image per place. Decoding is deterministic: threads change the speed alone.
    """

    paths: tuple[Path, ...]
    size: int
    fit: Fit
    workers: int = WORKERS
    crops: RandomCrops | None = None
    """Without them, images are framed as `fit` says."""
    device: torch.device = _CPU
    """Where batches go."""

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, chosen: "int | slice | Int[Tensor, ' batch']") -> UInt8[Tensor, "*batch 3 size size"]:
        """One image, or a batch of them.

        Raises:
            DataError: names a file that has gone, is truncated or is no image.
        """
        if isinstance(chosen, int):
            return self._decoded(range(len(self))[chosen]).to(self.device)
        places = torch.arange(len(self))[chosen.cpu() if isinstance(chosen, Tensor) else chosen]
        return next(self.stream([places]))

    def stream(self, batches: Iterable[Int[Tensor, " _"]], *, ahead: int = 2) -> Iterator[UInt8[Tensor, "_ 3 _ _"]]:
        """The batches one after the other, while the next `ahead` are being decoded.

        Raises:
            DataError: as for a single batch.
        """
        with ThreadPoolExecutor(self.workers) as pool:
            waiting = []
            for places in batches:
                waiting.append([pool.submit(self._decoded, place) for place in places.tolist()])
                if len(waiting) > ahead:
                    yield self._stacked([image.result() for image in waiting.pop(0)])
            while waiting:
                yield self._stacked([image.result() for image in waiting.pop(0)])

    def split(self, size: int) -> Iterator[UInt8[Tensor, "_ 3 _ _"]]:
        """All images in order, `size` at a time."""
        return self.stream(torch.arange(len(self)).split(size))

    @property
    def shape(self) -> torch.Size:
        """(N, 3, S, S)."""
        return torch.Size((len(self), 3, self.size, self.size))

    @property
    def ndim(self) -> int:
        """Four, as of a tensor of images."""
        return len(self.shape)

    def to(self, device: torch.device) -> "ImageFiles":
        """The same images, whose batches go to another device."""
        return replace(self, device=torch.device(device))

    def joined(self, other: "ImageFiles") -> "ImageFiles":
        """These images, then the others."""
        return replace(self, paths=self.paths + other.paths)

    def rows(self, places: Int[Tensor, " n"]) -> "ImageFiles":
        """Some of the images, not decoded."""
        return replace(self, paths=tuple(self.paths[place] for place in places.tolist()))

    def cropped(self, crops: RandomCrops | None) -> "ImageFiles":
        """The same images seen through random windows, or framed as `fit` says."""
        return replace(self, crops=crops)

    def _decoded(self, place: int) -> UInt8[Tensor, "3 size size"]:
        image, _ = open_picture(self.paths[place])
        image = image.convert("RGB")
        if self.crops is None:
            image = framed(image, self.size, self.fit)
        else:
            window = self.crops.box(place, *image.size)
            image = image.resize((self.size, self.size), Image.Resampling.BICUBIC, box=window)
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)

    def _stacked(self, images: Sequence[Tensor]) -> UInt8[Tensor, "batch 3 size size"]:
        if not images:
            return torch.empty((0, *self.shape[1:]), dtype=torch.uint8, device=self.device)
        return torch.stack(tuple(images)).to(self.device)


def check_decodes(paths: Sequence[Path], *, workers: int = WORKERS) -> None:
    """Decode every image once, and keep none.

    Raises:
        DataError: counts the images that cannot be decoded, and names the first of them with the reason.
    """
    with ThreadPoolExecutor(workers) as pool:
        reasons = [reason for reason in pool.map(_fault, paths) if reason]
    if reasons:
        more = f"\n… and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
        raise DataError(
            f"{len(reasons):,} of {len(paths):,} images cannot be decoded:\n" + "\n".join(reasons[:_SHOWN]) + more
        )


def _fault(path: Path) -> str | None:
    try:
        open_picture(path)
    except DataError as error:
        return str(error)
    return None


def _between(limits: tuple[float, float], share: float) -> float:
    return limits[0] + (limits[1] - limits[0]) * share
