"""The page's tables are made from the files."""

import re
from pathlib import Path

import pytest

from saflex_cli.errors import ResultsError
from saflex_cli.store.performance.costs import Costs
from saflex_cli.store.performance.epoch import epoch_path
from saflex_cli.store.performance.files import write_record
from saflex_cli.store.performance.goals import RESNET, SHRUTIME
from saflex_cli.store.performance.overhead import overhead_path
from saflex_cli.store.performance.page import NOTHING, fill, tables
from saflex_cli.store.performance.peers import peers_path
from saflex_cli.store.performance.sweep import sweep_path
from tests.store.performance.made_up import costs

ROOT = Path(__file__).parents[3]


def test_every_table() -> None:
    made = tables(costs())
    assert (
        "| head, outer batch B, k = 4 | ResNet-18 on BreastMNIST | ≤ 1.10 | 1.05 | 1.05 to 1.20 | met |"
        in made["goals"]
    )
    assert "| ≤ 2.10 | 2.20 | 2.20 to 2.20 | **missed** |" in made["goals"]
    assert "| `all_b4_k1` | 2.20 (2.20 to 2.20) |" in made["overhead"]
    assert f"`clean_pass` is left out in `{RESNET}`: it is not there." in made["overhead"]
    assert "| `head_b_k1` | 1.100 (120 MiB) |" in made["memory"]
    assert f"| `{SHRUTIME}` | `saflex_paper` | +60 % | +50 to +70 % | +81 % |" in made["epochs"]
    assert f"| `{SHRUTIME}` | 5 | 1.00 s | 1.10 | 1.00 to 1.20 |" in made["runs"]
    assert (
        "| `l2rw_higher` | 4000 ms | 4.00 (4.00 to 4.00) | 3.20 (3.20 to 3.20) | 1.60 (1.60 to 1.60) |" in made["peers"]
    )
    assert "`mwn_betty` does not run here: it needs an abacus." in made["peers"]
    assert "Batch 8, outer batch 8; higher 0.2.1." in made["peers"]
    assert "| `head` | 1.00 | 1.00 | 1.00 |" in made["slopes"]
    assert "| peers | cpu (abacus) | Abacus 1 | 1 | 2 | `0123456789` |" in made["machines"]


def test_what_was_not_measured_says_so() -> None:
    made = tables(Costs())
    assert {name for name, text in made.items() if text != NOTHING} == {"goals"}
    assert made["goals"].count("| not measured |") == 19


def test_costs_are_read_from_their_files(tmp_path: Path) -> None:
    made = costs()
    assert made.peers is not None
    assert made.sweep is not None
    write_record(overhead_path(tmp_path, RESNET), made.overheads[RESNET])
    write_record(epoch_path(tmp_path, SHRUTIME), made.epochs[SHRUTIME])
    write_record(peers_path(tmp_path), made.peers)
    write_record(sweep_path(tmp_path), made.sweep)
    assert Costs.load(tmp_path) == made
    sweep_path(tmp_path).write_text("{}")
    with pytest.raises(ResultsError, match="not a whole benchmark"):
        Costs.load(tmp_path)


def test_tables_stand_between_their_markers() -> None:
    page = "before\n<!-- table: one -->\nold\n<!-- end of table -->\nafter\n"
    filled = fill(page, {"one": "| new \\1 |"}, Path("page.md"))
    assert filled == "before\n<!-- table: one -->\n| new \\1 |\n<!-- end of table -->\nafter\n"
    assert fill(filled, {"one": "| new \\1 |"}, Path("page.md")) == filled
    with pytest.raises(ResultsError, match=r"^page\.md: has no place for the table two; add <!-- table: two -->$"):
        fill(page, {"one": "", "two": ""}, Path("page.md"))
    with pytest.raises(ResultsError, match=r"^page\.md: there is no table one; there are: $"):
        fill(page, {}, Path("page.md"))


def test_the_page_is_as_measured() -> None:
    path = ROOT / "docs" / "performance.md"
    page = path.read_text()
    assert fill(page, tables(Costs.load(ROOT / "results")), path) == page


def test_no_number_stands_outside_the_tables() -> None:
    """Measured ones belong between the markers; goals and published overheads are quoted there, too."""
    page = (ROOT / "docs" / "performance.md").read_text()
    prose = re.sub(r"<!-- table: .*?<!-- end of table -->", "", page, flags=re.DOTALL)
    assert re.findall(r"\d+\.\d+", prose) == []
