"""Pre-made samples are read from both layouts; what does not fit is refused by file name."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from saflex_cli.augment.batch import clean_batch
from saflex_cli.augment.folder import SamplePool, read_pool
from saflex_cli.errors import DataError

SHAPE = (1, 8, 8)
NAMES = ("cat", "dog", "newt")


def write_image(path: Path, value: int, size: tuple[int, ...] = SHAPE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (size[2], size[1]), value).save(path)


def test_sub_folders_by_number_or_name(tmp_path: Path) -> None:
    write_image(tmp_path / "0" / "a.png", 0)
    write_image(tmp_path / "dog" / "b.png", 51)
    write_image(tmp_path / "dog" / "c.PNG", 255)
    images, labels = read_pool(tmp_path, shape=SHAPE, class_names=NAMES)
    assert labels.tolist() == [0, 1, 1]
    assert images[:, 0, 0, 0].tolist() == [0, 51, 255]


def test_labels_csv(tmp_path: Path) -> None:
    write_image(tmp_path / "images" / "a.png", 10)
    (tmp_path / "labels.csv").write_text("file,label,prompt\nimages/a.png,newt,a newt\nimages/a.png,0,a cat\n")
    images, labels = read_pool(tmp_path, shape=SHAPE, class_names=NAMES)
    assert images.shape == (2, 1, 8, 8)
    assert labels.tolist() == [2, 0]


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no folder .*nowhere"):
        read_pool(tmp_path / "nowhere", shape=SHAPE, class_names=NAMES)
    with pytest.raises(DataError, match=r"neither a labels\.csv nor sub-folders"):
        read_pool(tmp_path, shape=SHAPE, class_names=NAMES)
    write_image(tmp_path / "wrong-size" / "0" / "a.png", 0, (1, 9, 8))
    with pytest.raises(DataError, match=r"a\.png: is \(1, 9, 8\).*has \(1, 8, 8\)"):
        read_pool(tmp_path / "wrong-size", shape=SHAPE, class_names=NAMES)
    write_image(tmp_path / "wrong-class" / "3" / "a.png", 0)
    with pytest.raises(DataError, match="unknown class '3'; use 0…2 or one of cat, dog, newt"):
        read_pool(tmp_path / "wrong-class", shape=SHAPE, class_names=NAMES)
    (tmp_path / "broken" / "0").mkdir(parents=True)
    (tmp_path / "broken" / "0" / "a.png").write_bytes(b"not an image")
    with pytest.raises(DataError, match=r"a\.png: cannot be read as an image"):
        read_pool(tmp_path / "broken", shape=SHAPE, class_names=NAMES)
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "labels.csv").write_text("name,class\n")
    with pytest.raises(DataError, match="needs the columns file and label"):
        read_pool(tmp_path / "table", shape=SHAPE, class_names=NAMES)


@pytest.mark.parametrize("size", [1, 3, 7])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_a_batch_is_replaced_by_as_many_samples_of_its_kind(size: int, dtype: torch.dtype) -> None:
    pool = SamplePool(torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1), torch.tensor([0, 1, 2]))
    batch = clean_batch(torch.zeros(size, 1, 1, 1, dtype=dtype), torch.zeros(size, dtype=torch.long), classes=3)
    drawn = pool(batch, torch.Generator().manual_seed(0))
    classes = drawn.soft_labels.argmax(1)
    expected = torch.tensor([0, 51, 255]) if dtype == torch.uint8 else torch.tensor([0.0, 0.2, 1.0])
    torch.testing.assert_close(drawn.inputs.flatten(), expected[classes].to(dtype))
    counts = classes.bincount(minlength=3)
    assert counts.max() - counts.min() <= 1
