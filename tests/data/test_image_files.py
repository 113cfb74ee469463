"""Image files index like the tensor of their images; random windows follow the seed and the place alone."""

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from saflex_cli.data.image_files import ImageFiles, RandomCrops, check_decodes
from saflex_cli.data.splits import Split
from saflex_cli.errors import DataError
from saflex_cli.train.evaluate import evaluate
from saflex_cli.train.loop import batches

from .photographs import noise, save, truncate


@pytest.fixture
def files(tmp_path: Path) -> ImageFiles:
    """Seven images; the value of each is ten times its place."""
    paths = tuple(save(tmp_path / f"{place}.png", 10 * place, size=(9 + place, 8)) for place in range(7))
    return ImageFiles(paths, size=4, fit="crop", workers=2)


def test_indexing_is_that_of_the_stacked_tensor(files: ImageFiles) -> None:
    whole = torch.stack([files[place] for place in range(7)])
    assert (whole.dtype, whole.shape, files.ndim) == (torch.uint8, files.shape, 4)
    assert whole[:, 0, 0, 0].tolist() == [0, 10, 20, 30, 40, 50, 60]
    chosen = torch.tensor([4, 0, 4])
    assert torch.equal(files[chosen], whole[chosen])
    assert torch.equal(files[1:5:2], whole[1:5:2])
    assert torch.equal(files[-1], whole[-1])
    assert [len(part) for part in files.split(3)] == [3, 3, 1]
    assert torch.equal(torch.cat(list(files.split(3))), whole)
    assert torch.equal(files.rows(chosen)[0:3], whole[chosen])
    assert torch.equal(files.joined(files)[0:14], torch.cat([whole, whole]))
    assert files[torch.tensor([], dtype=torch.long)].shape == (0, 3, 4, 4)
    with pytest.raises(IndexError):
        files[7]


def test_a_torch_loader_takes_them(files: ImageFiles) -> None:
    loaded = list(DataLoader(files, batch_size=3))
    assert torch.equal(torch.cat(loaded), files[0:7])


def test_the_loop_and_the_evaluation_take_them_like_tensors(files: ImageFiles) -> None:
    labels = torch.arange(7) % 2
    lazy, eager = Split(files, labels), Split(files[0:7], labels)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 2)).double()
    pairs = zip(*(batches(split, 3, torch.Generator().manual_seed(0)) for split in (lazy, eager)), strict=True)
    assert all(torch.equal(a, b) for first, second in pairs for a, b in zip(first, second, strict=True))
    scaled = torch.nn.Sequential(Doubled(), model)
    assert evaluate(scaled, lazy) == evaluate(scaled, eager)
    assert lazy.shape == eager.shape == (3, 4, 4)
    assert torch.equal(lazy.rows(torch.tensor([2])).samples[0:1], eager.inputs[2:3])
    assert len(lazy.joined(lazy)) == len(lazy.joined(lazy).samples) == 14
    with pytest.raises(DataError, match="needs all 7 samples in memory, and these images are decoded batch by batch"):
        _ = lazy.inputs


class Doubled(torch.nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.double() / 255


def test_a_crop_keeps_the_aspect_and_a_stretch_does_not(tmp_path: Path) -> None:
    """Left half black, right half white, twice as wide as high: a crop sees the edge in the middle, too."""
    path = save(tmp_path / "wide.png", 0, size=(80, 40))
    stripes = save(tmp_path / "right.png", 255, size=(20, 40))
    from PIL import Image

    with Image.open(path) as wide, Image.open(stripes) as right:
        wide.paste(right, (60, 0))
        wide.save(path)
    crop, stretch = (ImageFiles((path,), 20, fit)[0][0].float() for fit in ("crop", "stretch"))
    assert crop.max() < 30  # the white quarter lies outside the middle
    assert stretch[:, 16:].min() > 200


@given(place=st.integers(0, 99), width=st.integers(1, 300), height=st.integers(1, 300), seed=st.integers(0, 99))
def test_windows_are_inside_and_of_the_asked_area(place: int, width: int, height: int, seed: int) -> None:
    crops = RandomCrops(seed)
    left, top, right, bottom = crops.box(place, width, height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert crops.box(place, width, height) == (left, top, right, bottom)
    if 100 <= width == height:
        assert 0.88 <= (right - left) * (bottom - top) / (width * height) <= 1


def test_a_picture_too_wide_for_every_window_is_seen_from_its_middle() -> None:
    """At 16:9 no window of nine tenths of the area is as narrow as 4:3: 133 of 178 columns, in the middle."""
    assert {RandomCrops(seed).box(0, 178, 100) for seed in range(20)} == {(22, 0, 155, 100)}
    assert RandomCrops(0).box(0, 100, 200) == (0, 33, 100, 166)


def test_areas_and_ratios_are_spread_over_their_limits() -> None:
    crops = RandomCrops(0, scale=(0.2, 0.4))
    boxes = [crops.box(place, 1000, 1000) for place in range(400)]
    areas = torch.tensor([(r - l) * (b - t) / 1e6 for l, t, r, b in boxes])  # noqa: E741
    ratios = torch.tensor([math.log((r - l) / (b - t)) for l, t, r, b in boxes])  # noqa: E741
    assert abs(float(areas.mean()) - 0.3) < 0.01
    assert abs(float(areas.std()) - 0.2 / math.sqrt(12)) < 0.01
    assert abs(float(ratios.mean())) < 0.05
    assert float(ratios.abs().max()) < math.log(4 / 3) + 0.01


def test_random_windows_do_not_depend_on_batches_or_threads(tmp_path: Path) -> None:
    paths = tuple(noise(tmp_path / f"{place}.png", size=(24, 20)) for place in range(6))
    plain = ImageFiles(paths, size=8, fit="crop", workers=1)
    seen = plain.cropped(RandomCrops(3))
    whole = seen[0:6]
    assert torch.equal(torch.cat(list(ImageFiles(paths, 8, "crop", 4, RandomCrops(3)).split(4))), whole)
    assert torch.equal(seen[torch.tensor([5, 1])], whole[[5, 1]])
    assert len(whole.flatten(1).unique(dim=0)) > 3  # the same picture, seen through windows of their own
    assert not torch.equal(plain.cropped(RandomCrops(4))[0:6], whole)
    assert torch.equal(seen.cropped(None)[0:6], plain[0:6])


def test_bad_files_are_named_when_decoded_and_listed_when_checked(files: ImageFiles) -> None:
    check_decodes(files.paths, workers=2)
    truncate(noise(files.paths[2]))
    files.paths[5].unlink()
    with pytest.raises(DataError, match=r"2\.png: cannot be read as an image"):
        files[torch.tensor([1, 2])]
    with pytest.raises(DataError, match=r"2 of 7 images cannot be decoded:\n.*2\.png: .*\n.*5\.png: "):
        check_decodes(files.paths, workers=2)
    for path in files.paths:
        path.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"(?s)7 of 7 images.*\n… and 2 more$") as caught:
        check_decodes(files.paths, workers=2)
    assert len(str(caught.value).splitlines()) == 7
