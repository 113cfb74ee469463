"""Image files that stay on disk, end to end: every kind of method trains on them, selected by macro F1."""

from pathlib import Path

from saflex_cli.experiment import Places, run
from tests.data.photographs import metadata, names_table, save
from tests.recipes import make_recipe

METHODS = [
    {"name": "no_aug"},
    {"name": "upstream", "train_on": ["train", "val"]},
    {"name": "saflex", "preset": "proximal"},
    {"name": "saflex", "preset": "proximal", "outer": "fold", "label": "fold"},
]


def test_every_method_runs_on_iwildcam(tmp_path: Path) -> None:
    rows = [(split, n % 3, f"{split}-{n}.jpg") for split in ("train", "id_val", "id_test") for n in range(12)]
    metadata(tmp_path / "iwildcam_v2.0" / "metadata.csv", rows)
    names_table(tmp_path / "iwildcam" / "iwildcam_labels.csv", ("empty", "cattle", "impala"))
    for _, label, file in rows:
        save(tmp_path / "iwildcam_v2.0" / "train" / file, 100 * label, size=(20, 16))
    recipe = make_recipe(
        tmp_path,
        data={"name": "iwildcam", "size": 8, "check": "decode"},
        augmenter={"name": "randaugment_wilds"},
        train={"epochs": 2, "batch_size": 5},
        selection={"metric": "macro_f1"},
        methods=METHODS,
        seeds=[0],
    )
    places = Places(tmp_path / "results", tmp_path / "runs", tmp_path)
    for report in run(recipe, places=places, device="cpu"):
        assert (report.data.train, report.data.test) == (24 if report.last.val is None else 12, 12)
        assert report.last.test.macro_f1 is not None
        assert report.selected is None or report.selected.metric == "macro_f1"
