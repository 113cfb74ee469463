"""The single-label 2-D sets of MedMNIST v2 in their official files, found under the data root or else downloaded."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from saflex_cli.config.components import MedMnistData, MedMnistSet
from saflex_cli.data.arrays import SPLIT_NAMES, to_splits
from saflex_cli.data.download import download, md5_of
from saflex_cli.data.medmnist_facts import FACTS, OLDER, RECORD
from saflex_cli.data.medmnist_package import INSTALL, release
from saflex_cli.data.npz import read_npz
from saflex_cli.data.splits import Splits
from saflex_cli.errors import DataError


def medmnist(config: MedMnistData, root: Path) -> Splits:
    """Find, or else download, verify and read the official file.

    Raises:
        DataError: if the file is not there and cannot be downloaded, or is not the official one.
    """
    path = find_file(config.subset, config.size, root)
    if path is None:
        path = fetch_file(config.subset, config.size, root)
    md5 = verify(path, config.subset, config.size)
    return replace(to_splits(read_npz(path, class_names=FACTS[config.subset].class_names), config), md5=md5)


def find_file(subset: MedMnistSet, size: int, root: Path) -> Path | None:
    """The first of `<root>/medmnist/<file>` and `<root>/<file>` that exists."""
    name = _file_name(subset, size)
    return next((path for path in (root / "medmnist" / name, root / name) if path.is_file()), None)


def fetch_file(subset: MedMnistSet, size: int, root: Path) -> Path:
    """Download the official file to where it is looked for.

    Raises:
        DataError: says what to fetch by hand and where to put it: no address known, or what `download` refuses.
    """
    target = root / "medmnist" / _file_name(subset, size)
    official = release(subset, size)
    if official is None:
        raise DataError(
            f"{target}: no such file; fetch {target.name} from {RECORD} and put it there, or {INSTALL}, so that saflex "
            "knows where to download it"
        )
    download(official.url, target, md5=official.md5)
    return target


def verify(path: Path, subset: MedMnistSet, size: int) -> str:
    """The MD5 of a file, if it is the official one.

    Raises:
        DataError: if its MD5 is another (both are named), or the official MD5 is not known here.
    """
    expected = _official_md5(path, subset, size)
    try:
        found = md5_of(path)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); check its permissions, or fetch it again"
        ) from error
    if found != expected:
        raise DataError(
            f"{path}: MD5 {found}, but the official {_file_name(subset, size)} has {expected}"
            f"{_recognised(path, subset, found)}; replace it by the file in {RECORD}, or read it as it is with "
            "data: {name: npz, path: …}"
        )
    return found


def medmnist_states(root: Path) -> list[tuple[str, str]]:
    """Every set with what was found at 28 pixels, or where to put its file."""
    return [(subset, _state(subset, root)) for subset in FACTS]


def _state(subset: MedMnistSet, root: Path) -> str:
    path = find_file(subset, 28, root)
    if path is None:
        return f"put {_file_name(subset, 28)} into {root / 'medmnist'}"
    try:
        verify(path, subset, 28)
    except DataError as error:
        return str(error)
    return f"found, MD5 verified ({path})"


def _file_name(subset: MedMnistSet, size: int) -> str:
    return f"{subset}.npz" if size == 28 else f"{subset}_{size}.npz"


def _official_md5(path: Path, subset: MedMnistSet, size: int) -> str:
    if size == 28:
        return FACTS[subset].md5
    official = release(subset, size)
    if official is None:
        raise DataError(
            f"{path}: cannot be verified: the MD5 of {size}-pixel files are in the package medmnist; {INSTALL}"
        )
    return official.md5


def _recognised(path: Path, subset: MedMnistSet, found: str) -> str:
    older, sizes = OLDER.get(subset), _sizes(path)
    if older is not None and (found == older.md5 or sizes == older.sizes):
        return (
            f" (this is the release before medmnist 2.2.4, with {older.sizes[0]} training images, some of them blank)"
        )
    if sizes is not None and sizes != FACTS[subset].sizes:
        return f" (and {FACTS[subset].sizes} images in train, val and test rather than {sizes})"
    return ""


def _sizes(path: Path) -> tuple[int, int, int] | None:
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            train, val, test = (len(file[f"{name}_labels"]) for name in SPLIT_NAMES)
    except Exception:  # noqa: BLE001 - any unreadable file is simply not recognised
        return None
    return train, val, test
