"""What the README shows is true: its code runs, its recipe loads, its table is the committed one."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from saflex_cli.config.load import load_recipe

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def test_all_blocks_are_found() -> None:
    assert (len(blocks("python")), len(blocks("yaml"))) == (2, 1)


def run_block(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102 - the reader runs it, too
    return names


def test_the_loop_runs() -> None:
    assert len(run_block(blocks("python")[0])["refined"].sample_weights) == 32


@pytest.mark.slow
def test_the_comparison_with_a_function_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    reports = run_block(blocks("python")[1])["reports"]
    assert [report.method for report in reports] == ["upstream", "saflex_proximal"]


def test_the_recipe_is_the_shipped_one_in_short(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(blocks("yaml")[0])
    shown, shipped = load_recipe(path), load_recipe(ROOT / "recipes" / "quickstart" / "digits.yaml")
    assert shown.model_dump(exclude={"methods"}) == shipped.model_dump(exclude={"methods"})
    assert set(shown.methods) <= set(shipped.methods)
    assert yaml.safe_load(blocks("yaml")[0])["name"] == shipped.name


def test_the_table_is_the_committed_one() -> None:
    shown = re.search(r"<!-- table: (\S+) -->\n(.*?)<!-- end of table -->", README, flags=re.DOTALL)
    assert shown is not None
    table = (ROOT / shown[1]).read_text()
    assert shown[2].count("\n|") > 8
    for block in shown[2].strip().split("\n\n"):
        assert block in table


def test_every_link_leads_somewhere() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "recipes" / "README.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
