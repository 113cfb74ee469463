"""Accuracy and AUROC equal those of MedMNIST's own Evaluator, on files in the official format."""

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from saflex_cli.train.evaluate import metrics

pytestmark = pytest.mark.slow  # the package loads pandas and scikit-image


@pytest.fixture
def evaluator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """MedMNIST's class; importing it makes a folder in the home directory."""
    monkeypatch.setenv("HOME", str(tmp_path))
    before = set(sys.modules)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        medmnist = pytest.importorskip("medmnist", reason="the extra medmnist is not installed")
    yield medmnist.Evaluator
    for name in set(sys.modules) - before:
        if name.startswith("medmnist"):
            del sys.modules[name]  # its default folder is the temporary home's


@pytest.mark.parametrize(("flag", "classes"), [("breastmnist", 2), ("retinamnist", 5), ("organamnist", 11)])
@pytest.mark.parametrize("ties", [False, True])
def test_metrics_equal_the_evaluators(evaluator: Any, tmp_path: Path, flag: str, classes: int, ties: bool) -> None:
    generator = torch.Generator().manual_seed(classes)
    labels = torch.randint(classes, (300,), generator=generator)
    logits = torch.randn(300, classes, generator=generator, dtype=torch.float64) + torch.eye(classes)[labels]
    log_probs = (logits.round() if ties else logits).log_softmax(1)
    np.savez(tmp_path / f"{flag}.npz", test_labels=labels[:, None].numpy().astype(np.uint8))
    scores = log_probs.exp().numpy()
    expected = evaluator(flag, "test", root=tmp_path).evaluate(scores[:, -1:] if classes == 2 else scores)
    values = metrics(log_probs, labels)
    assert values["accuracy"] == pytest.approx(expected.ACC, abs=1e-12)
    assert values["auroc"] == pytest.approx(expected.AUC, abs=1e-12)
