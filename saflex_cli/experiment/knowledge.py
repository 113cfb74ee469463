"""What scores know about wrong labels: all samples of the pool at once, in one state of a model."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from saflex_cli.config.probe_config import Knowledge
from saflex_cli.core.alignment import Alignment, align, outer_direction
from saflex_cli.core.outer_samples import HeadFeatures
from saflex_cli.core.passes import evaluation_mode
from saflex_cli.core.saflex import refine
from saflex_cli.data.pool import Pool
from saflex_cli.data.splits import Split
from saflex_cli.errors import DataError
from saflex_cli.experiment.confident import Confident, raw_rows
from saflex_cli.experiment.parts import Parts
from saflex_cli.models.logistic_regression import fit_logistic_regression
from saflex_cli.models.standardise import Standardised
from saflex_cli.seeding import Streams
from saflex_cli.settings import preset_settings
from saflex_cli.train.evaluate import evaluate

_LABELS = {
    "proximal": preset_settings("proximal"),
    "bootstrap_1": preset_settings("bootstrap", label_retention=1.0),
    "bootstrap_2": preset_settings("bootstrap"),
}
_VIEWS: Mapping[str, HeadFeatures] = {
    "pi_head": "raw",
    "pi_head_centred": "centred",
    "pi_head_correlation": "correlation",
}
_SCOPES: tuple[Literal["head", "all"], ...] = ("head", "all")


class KnowledgeProbe:
    """Measures one run's states; what does not depend on the state is computed once.

    Samples of the pool with scrambled inputs have no class and are left out.

    Raises:
        DataError: if there are no wrong or no right labels, or too few samples of a class.
    """

    def __init__(self, config: Knowledge, parts: Parts, device: torch.device) -> None:
        if parts.pool is None:
            raise DataError(f"recipe {parts.recipe.name}: a probe of knowledge needs a pool")
        self.samples = _with_class(parts.pool)
        self.outer, self.test = parts.splits.val.to(device), parts.splits.test.to(device)
        wrong = self.samples.mislabelled
        if not wrong.any() or wrong.all():
            raise DataError(f"recipe {parts.recipe.name}: the pool needs both wrong and right labels; change pool")
        self.device, self.streams = device, Streams(parts.seed)
        rows, levels = raw_rows(self.samples.inputs, parts.splits), parts.splits.levels
        labels, classes, val = self.samples.labels, parts.splits.classes, parts.splits.val
        _require_classes(val, classes)
        outer = raw_rows(val.inputs, parts.splits), val.labels
        log_probs = list(fit_logistic_regression(*outer, levels=levels, c=1.0).staged(rows))[-1]
        self._scores, self._keeps = {"trusted": -at_labels(log_probs, labels)}, {}
        self._classes = {"trusted": log_probs.argmax(1)}
        for name, beside in {"confident": None, "confident_outer": outer}.items():
            found = Confident.of(
                rows, labels, classes, levels=levels, folds=config.folds, streams=self.streams, beside=beside
            )
            self._scores[name], self._keeps[name] = found.suspicion, found.keeps

    def __call__(self, model: Standardised, epoch: int) -> dict[str, float]:
        """The values by `group/name`; nothing of the model changes, and no random state."""
        samples = self.samples
        found = self._alignments(model, epoch)
        log_probs = found["pi_head"].log_probs.cpu()
        at_label = {name: at_labels(each.matrix.cpu(), samples.labels) for name, each in found.items()}
        scores = {"loss": -at_labels(log_probs, samples.labels), "margin": -margins(log_probs, samples.labels)}
        scores |= {name: -values for name, values in at_label.items()} | self._scores
        classes = {name: each.matrix.argmax(1).cpu() for name, each in found.items()}
        classes |= self._learned(found["pi_head"], "") | self._learned(found["pi_head_train"], "_train")
        classes |= {"prediction": log_probs.argmax(1), **self._classes}
        keeps = {name: values >= 0 for name, values in at_label.items()} | self._keeps
        values = {f"auc/{name}": auc(score, samples.mislabelled) for name, score in scores.items()}
        wrong, right = samples.mislabelled, ~samples.mislabelled
        for name, given in classes.items():
            hits = given == samples.true_labels
            values |= {f"recovered/{name}": _share(hits[wrong]), f"kept/{name}": _share(hits[right])}
        for name, kept in keeps.items():
            values |= {f"weight_wrong/{name}": _share(kept[wrong]), f"weight_right/{name}": _share(kept[right])}
        values["model/memorised"] = _share((classes["prediction"] == samples.labels)[wrong])
        return values | {"model/test": evaluate(model, self.test)["accuracy"]}

    def _alignments(self, model: Standardised, epoch: int) -> dict[str, Alignment]:
        """Π of every sample against the whole outer set, for each scope and view of the features, and in both modes."""
        with evaluation_mode(model), torch.no_grad():
            found = {name: self._alignment(model, "head", view) for name, view in _VIEWS.items()}
            found["pi_all"] = self._alignment(model, "all")
            torch.manual_seed(self.streams.number("probe", epoch))  # of the caller's fork; for dropout
            model.train()
            return found | {f"pi_{scope}_train": self._alignment(model, scope) for scope in _SCOPES}

    def _alignment(self, model: Standardised, scope: Literal["head", "all"], view: HeadFeatures = "raw") -> Alignment:
        direction = outer_direction(model, self.outer.inputs, self.outer.labels, scope=scope, features=view)
        return align(model, self.samples.inputs.to(self.device), direction)

    def _learned(self, found: Alignment, suffix: str) -> dict[str, Int[Tensor, " n"]]:
        """The largest entry of the labels that presets learn, with s = 1/rms(Π) over the whole pool."""
        upstream = functional.one_hot(self.samples.labels, found.matrix.shape[1]).to(found.matrix)
        return {
            name + suffix: refine(found, upstream, None, settings).soft_labels.argmax(1).cpu()
            for name, settings in _LABELS.items()
        }


def auc(suspicion: Float[Tensor, " n"], wrong: Bool[Tensor, " n"]) -> float:
    """The chance that a wrong sample is more suspect than a right one, ties counting half; scikit-learn's."""
    return float(roc_auc_score(wrong.numpy(), suspicion.double().numpy()))


def at_labels(values: Float[Tensor, "n classes"], labels: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Each row's entry at its label."""
    return values.gather(1, labels[:, None])[:, 0]


def margins(log_probs: Float[Tensor, "n classes"], labels: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
    """p_ỹ − max_{k ≠ ỹ} p_k, the normalised margin; between −1 and 1."""
    probabilities = log_probs.double().exp()
    others = probabilities.scatter(1, labels[:, None], -1.0)
    return at_labels(probabilities, labels) - others.amax(1)


def _with_class(pool: Pool) -> Pool:
    chosen = ~pool.scrambled
    return Pool(pool.inputs[chosen], pool.labels[chosen], pool.original_labels[chosen], pool.scrambled[chosen])


def _require_classes(outer: Split, classes: int) -> None:
    if missing := sorted(set(range(classes)) - set(outer.labels.tolist())):
        raise DataError(f"no validation sample is of class {missing[0]}; raise data.val")


def _share(chosen: Bool[Tensor, " n"]) -> float:
    return chosen.double().mean().item()
