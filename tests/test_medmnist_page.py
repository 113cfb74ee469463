"""The costs on docs/medmnist.md are those of the committed benchmarks."""

import re
from pathlib import Path

from saflex_cli.store.bench import bench_path, read_benchmark

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "medmnist.md").read_text()
RECIPES = {"width 16": "medmnist/breastmnist-randaugment-cpu", "width 64": "medmnist/breastmnist-randaugment"}
WITH_CROP = "medmnist/breastmnist-crop-cpu"


def printed(recipe: str, method: str) -> str:
    median, low, high = read_benchmark(bench_path(ROOT / "results", recipe)).summary(method)
    return f"{median:.2f} ({low:.2f} to {high:.2f})"


def test_every_cost_follows_from_its_benchmark() -> None:
    table = re.search(r"<!-- costs -->\n(.*?)<!-- end of costs -->", PAGE, flags=re.DOTALL)
    assert table is not None
    head, _, *lines = table[1].strip().splitlines()
    columns = [cell.strip() for cell in head.strip("|").split("|")][1:]
    assert len(lines) == 10
    for line in lines:
        name, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        method = name.split("`")[1]
        recipes = [WITH_CROP] if name.endswith("with the crop") else [RECIPES[column] for column in columns]
        assert [cell for cell in cells if cell != "–"] == [printed(recipe, method) for recipe in recipes]
