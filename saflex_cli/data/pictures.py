"""One image file: read, checked, and made square."""

import hashlib
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from saflex_cli.config.images import Fit
from saflex_cli.errors import DataError
from saflex_cli.numpy_arrays import NDArray

Picture = UInt8[NDArray[np.uint8], "size size ..."]
"""Grey (S, S) or in colour (S, S, 3)."""

_GREY = {"1", "L", "LA"}
_DEEP = ("I", "F")
_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


def read_picture(path: Path, size: int, fit: Fit) -> tuple[Picture, str]:
    """The decoded image, grey or in colour as it is, and the SHA-256 of the file.

    Raises:
        DataError: names a file that is missing, truncated, no image, or has more than 8 bits per channel.
    """
    image, digest = open_picture(path)
    return np.array(framed(image, size, fit)), digest


def read_pictures(paths: Iterable[Path], size: int, fit: Fit, *, base: Path) -> tuple[list[Picture], str]:
    """The decoded images, and a text that changes with every place (below `base`) and every byte of the files.

    Raises:
        DataError: as for `read_picture`.
    """
    pictures, lines = [], []
    for path in paths:
        picture, digest = read_picture(path, size, fit)
        pictures.append(picture)
        lines.append(f"{path.relative_to(base).as_posix()}\0{digest}\n")
    return pictures, "".join(lines)


def open_picture(path: Path) -> tuple[Image.Image, str]:
    """The whole image in mode L or RGB, and the SHA-256 of the file.

    Raises:
        DataError: as for `read_picture`.
    """
    try:
        content = path.read_bytes()
        with Image.open(BytesIO(content)) as image:
            if image.mode.startswith(_DEEP):
                raise DataError(f"{path}: has more than 8 bits per channel ({image.mode}); convert it to 8 bits")
            pixels = image.convert("L" if image.mode in _GREY else "RGB")
    except UnidentifiedImageError as error:
        raise DataError(f"{path}: cannot be read as an image (no known format); remove or replace it") from error
    except _UNREADABLE as error:
        raise DataError(f"{path}: cannot be read as an image ({error}); remove or replace it") from error
    return pixels, hashlib.sha256(content).hexdigest()


def framed(image: Image.Image, size: int, fit: Fit) -> Image.Image:
    """A square of `size` pixels per side, by one of the two rules of `Fit`.

    Worked case: 400 × 300 pixels to 30 by `crop`: resized to 40 × 30, of which 5 columns go on each side.
    """
    if fit == "stretch":
        return image.resize((size, size), Image.Resampling.BILINEAR)
    shorter = min(image.size)
    width, height = (max(size, round(side * size / shorter)) for side in image.size)
    left, top = (width - size) // 2, (height - size) // 2
    resized = image.resize((width, height), Image.Resampling.BICUBIC)
    return resized.crop((left, top, left + size, top + size))


def in_colour(picture: Picture) -> Picture:
    """With three channels; grey ones get three equal ones."""
    return picture if picture.ndim == 3 else np.stack([picture] * 3, axis=2)
