"""The official files, and no others, are read under their names."""

import dataclasses
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
import torch

from saflex_cli.config.components import MedMnistData, MedMnistSet
from saflex_cli.data import medmnist as module
from saflex_cli.data import medmnist_package
from saflex_cli.data.build import build_data
from saflex_cli.data.download import md5_of
from saflex_cli.data.medmnist_facts import FACTS, OLDER
from saflex_cli.data.medmnist_package import Release, release
from saflex_cli.data.root import data_sets
from saflex_cli.data.splits import Splits
from saflex_cli.errors import DataError
from tests.data.made_up import arrays, write


def load(subset: MedMnistSet, root: Path, **fields: bool | int) -> Splits:
    return build_data(MedMnistData(name="medmnist", subset=subset, **fields), seed=0, root=root)


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(medmnist_package, "find_spec", lambda _: None)


@pytest.fixture
def official(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up file that counts as the official BreastMNIST."""
    path = write(tmp_path / "medmnist" / "breastmnist.npz", arrays(classes=2))
    facts = dataclasses.replace(FACTS["breastmnist"], md5=md5_of(path))
    monkeypatch.setitem(FACTS, "breastmnist", facts)
    return path


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A made-up medmnist whose info.py holds the given table, and which fails if it is imported."""

    def make(table: str) -> None:
        folder = tmp_path / "site" / "medmnist"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("raise AssertionError('imported')")
        (folder / "info.py").write_text(f"raise AssertionError('run')\n{table}")
        monkeypatch.delitem(sys.modules, "medmnist", raising=False)
        monkeypatch.syspath_prepend(tmp_path / "site")
        importlib.invalidate_caches()

    return make


def test_breastmnist(real_data: Callable[..., Path]) -> None:
    splits = load("breastmnist", real_data("medmnist/breastmnist.npz"))
    assert [len(part) for part in (splits.train, splits.val, splits.test)] == [546, 78, 156]
    assert splits.train.inputs.shape == (546, 1, 28, 28)
    assert splits.train.inputs.dtype == torch.uint8
    assert splits.train.labels.bincount().tolist() == [147, 399]
    assert splits.class_names == ("malignant", "normal, benign")


def test_breastmnist_as_rgb(real_data: Callable[..., Path]) -> None:
    root = real_data("medmnist/breastmnist.npz")
    grey, rgb = load("breastmnist", root), load("breastmnist", root, rgb=True)
    assert torch.equal(rgb.val.inputs, grey.val.inputs.repeat(1, 3, 1, 1))


def test_retinamnist(real_data: Callable[..., Path]) -> None:
    splits = load("retinamnist", real_data("medmnist/retinamnist.npz"))
    assert [len(part) for part in (splits.train, splits.val, splits.test)] == [1080, 120, 400]
    assert splits.test.inputs.shape == (400, 3, 28, 28)
    assert splits.classes == 5


def test_every_set_of_the_schema_has_facts() -> None:
    assert tuple(FACTS) == get_args(MedMnistSet)
    assert [len(facts.class_names) for facts in FACTS.values()] == [9, 7, 4, 2, 5, 2, 8, 8, 11, 11, 11]
    sums = [fact.md5 for fact in (*FACTS.values(), *OLDER.values())]
    assert len(set(sums)) == len(sums) == 14
    assert {len(md5) for md5 in sums} == {32}


def test_the_file_may_lie_in_the_data_root_itself(official: Path, tmp_path: Path) -> None:
    official.rename(tmp_path / "breastmnist.npz")
    assert load("breastmnist", tmp_path).class_names == ("malignant", "normal, benign")


def test_a_wrong_md5_is_refused_with_both_sums(tmp_path: Path) -> None:
    path = write(tmp_path / "medmnist" / "breastmnist.npz", arrays(classes=2))
    with pytest.raises(DataError) as caught:
        load("breastmnist", tmp_path)
    for part in (str(path), md5_of(path), FACTS["breastmnist"].md5, "zenodo.org/records/10519652", "name: npz"):
        assert part in str(caught.value)
    assert "(and (546, 78, 156) images in train, val and test rather than (20, 20, 20))" in str(caught.value)


def test_a_damaged_file_is_refused_with_both_sums(official: Path, tmp_path: Path) -> None:
    official.write_bytes(official.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"MD5 \w{32}, but the official breastmnist\.npz has \w{32}; replace it"):
        load("breastmnist", tmp_path)


@pytest.mark.parametrize("recognised_by", ["md5", "sizes"])
def test_the_older_organ_release_is_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recognised_by: str
) -> None:
    path = write(tmp_path / "organsmnist.npz", arrays(classes=2))
    known = {"md5": {"md5": md5_of(path)}, "sizes": {"sizes": (20, 20, 20)}}[recognised_by]
    monkeypatch.setitem(OLDER, "organsmnist", dataclasses.replace(OLDER["organsmnist"], **known))
    with pytest.raises(DataError, match=r"this is the release before medmnist 2\.2\.4, with \d+ training images"):
        load("organsmnist", tmp_path)


@pytest.mark.usefixtures("without_package")
def test_without_file_and_package_it_is_said_what_to_put_where(tmp_path: Path) -> None:
    expected = r"medmnist/organamnist\.npz: no such file; fetch organamnist\.npz from https://zenodo.* and put it there"
    with pytest.raises(DataError, match=expected + r", or pip install 'saflex\[medmnist\]'"):
        load("organamnist", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("without_package")
def test_a_bigger_size_cannot_be_verified_without_the_package(tmp_path: Path) -> None:
    write(tmp_path / "breastmnist_64.npz", arrays(classes=2, size=64))
    with pytest.raises(DataError, match=r"breastmnist_64\.npz: cannot be verified: .*pip install 'saflex\[medmnist\]'"):
        load("breastmnist", tmp_path, size=64)


def test_a_missing_file_is_downloaded_where_the_package_says(
    official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(url: str, target: Path, *, md5: str) -> None:
        assert (url, md5) == ("https://example.org/breastmnist.npz", FACTS["breastmnist"].md5)
        target.parent.mkdir(parents=True)
        official.rename(target)

    monkeypatch.setattr(module, "release", lambda *_: Release("https://example.org/breastmnist.npz", md5_of(official)))
    monkeypatch.setattr(module, "download", download)
    assert load("breastmnist", tmp_path / "new").classes == 2
    assert (tmp_path / "new" / "medmnist" / "breastmnist.npz").is_file()


def test_the_table_of_the_package_is_read_without_importing_it(package: Callable[[str], None]) -> None:
    md5 = FACTS["breastmnist"].md5
    package(f"INFO = {{'breastmnist': {{'url': 'u', 'MD5': '{md5}', 'url_64': 'v', 'MD5_64': 'w'}}}}")
    assert release("breastmnist", 28) == Release("u", md5)
    assert release("breastmnist", 64) == Release("v", "w")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("INFO = {'breastmnist': {'url': 'u', 'MD5': 'older', 'url_64': 'v', 'MD5_64': 'w'}}", "not the release"),
        (f"INFO = {{'breastmnist': {{'url': 'u', 'MD5': '{FACTS['breastmnist'].md5}'}}}}", "not the release"),
        ("", "not the release"),
        ("INFO = table()", "cannot be read"),
        ("INFO = {", "cannot be read"),
    ],
)
def test_another_release_of_the_package(package: Callable[[str], None], table: str, message: str) -> None:
    package(table)
    with pytest.raises(DataError, match=rf"info\.py: {message}.*pip install 'saflex\[medmnist\]'"):
        release("breastmnist", 64)


def test_the_list_of_data_sets(official: Path, tmp_path: Path) -> None:
    write(tmp_path / "organsmnist.npz", arrays())
    states = dict(data_sets(tmp_path))
    assert tuple(states) == ("digits", *get_args(MedMnistSet))
    assert states["breastmnist"] == f"found, MD5 verified ({official})"
    assert states["pathmnist"] == f"put pathmnist.npz into {tmp_path / 'medmnist'}"
    assert "MD5" in states["organsmnist"]
    assert "but the official organsmnist.npz has" in states["organsmnist"]
