"""What is judged and selected are scikit-learn's own predictions on the rows that the networks see."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression as Logistic
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from saflex_cli.config.references import GradientBoosting, LogisticRegression
from saflex_cli.config.schema import Selection
from saflex_cli.data.splits import PixelScale, Split, Splits
from saflex_cli.errors import DataError, RecipeError
from saflex_cli.seeding import Streams
from saflex_cli.train.evaluate import metrics
from saflex_cli.train.references import JudgedReference, ReferenceMethod, judge_reference

LOGISTIC = LogisticRegression(name="logistic_regression")
BOOSTING = GradientBoosting(name="gradient_boosting", iterations=30, learning_rate=0.5)


def made_up(classes: int) -> Splits:
    def split(count: int, seed: int) -> Split:
        generator = torch.Generator().manual_seed(seed)
        rows = torch.randn(count, 4, generator=generator)
        noisy = rows[:, :classes] + 0.7 * torch.randn(count, classes, generator=generator)
        return Split(rows, noisy.argmax(1))

    names = tuple(f"class {k}" for k in range(classes))
    return Splits(split(150, 0), split(80, 1), split(90, 2), names, PixelScale(0.0, 1.0), sha256="made up")


def judge(method: ReferenceMethod, splits: Splits, metric: Any = "auroc") -> JudgedReference:
    return judge_reference(method, splits, Selection(metric=metric), Streams(0))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("method", [LOGISTIC, BOOSTING], ids=lambda method: method.name)
def test_metrics_are_those_of_scikit_learn(method: ReferenceMethod, classes: int) -> None:
    splits = made_up(classes)
    judged = judge(method, splits)
    own = metrics(judged.predict(splits.test.inputs, judged.epochs), splits.test.labels)
    twin: Any = Logistic(max_iter=1000)
    if isinstance(method, GradientBoosting):
        twin = HistGradientBoostingClassifier(max_iter=30, learning_rate=0.5, early_stopping=False)
    twin.fit(splits.train.inputs.double().numpy(), splits.train.labels.numpy())
    theirs, labels = twin.predict_proba(splits.test.inputs.double().numpy()), splits.test.labels.numpy()
    scores = theirs[:, 1] if classes == 2 else theirs
    assert own["accuracy"] == pytest.approx(accuracy_score(labels, theirs.argmax(1)), abs=1e-6)
    assert own["auroc"] == pytest.approx(roc_auc_score(labels, scores, multi_class="ovr"), abs=1e-6)
    assert own["loss"] == pytest.approx(log_loss(labels, theirs), abs=1e-6)


@pytest.mark.parametrize("metric", ["auroc", "accuracy", "loss"])
def test_the_first_best_iteration_is_selected(metric: str) -> None:
    splits = made_up(2)
    judged = judge(BOOSTING, splits, metric)
    assert [row["epoch"] for row in judged.curve] == list(range(1, 31))
    values = [row[f"val_{metric}"] for row in judged.curve]
    best = min(values) if metric == "loss" else max(values)
    assert judged.best_epoch == values.index(best) + 1
    assert metrics(judged.predict(splits.val.inputs, judged.best_epoch), splits.val.labels)[metric] == best
    assert judged.curve[-1]["train_loss"] < judged.curve[0]["train_loss"]


def test_logistic_regression_has_one_epoch() -> None:
    judged = judge(LOGISTIC, made_up(2))
    assert (judged.epochs, judged.best_epoch) == (1, 1)


@pytest.mark.parametrize("method", [LOGISTIC, BOOSTING], ids=lambda method: method.name)
def test_trained_on_validation_rows_nothing_is_selected(method: ReferenceMethod) -> None:
    splits = made_up(2)
    judged = judge(method.model_copy(update={"train_on": ("train", "val")}), splits)
    joined = judge(method, replace(splits, train=splits.train.joined(splits.val)))
    assert judged.best_epoch is None
    assert {row["val_auroc"] for row in judged.curve} == {None}
    predicted = [one.predict(splits.test.inputs, one.epochs).numpy() for one in (judged, joined)]
    assert np.array_equal(*predicted)


def test_images_are_refused() -> None:
    splits = made_up(2)
    images = replace(splits, train=Split(torch.zeros(150, 1, 8, 8), splits.train.labels))
    with pytest.raises(RecipeError, match="method logistic_regression takes rows of a table, and the data are images"):
        judge(LOGISTIC, images)


def test_a_class_without_a_training_row_is_refused() -> None:
    splits = replace(made_up(2), class_names=("class 0", "class 1", "other"))
    with pytest.raises(DataError, match="no training row is of class other"):
        judge(BOOSTING, splits)
