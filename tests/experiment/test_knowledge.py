"""What scores know: each against a slow twin, confident learning against its definition."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch.nn import functional

from saflex_cli.config.probe import load_probe
from saflex_cli.config.probe_config import Knowledge
from saflex_cli.core import Saflex, alignment
from saflex_cli.errors import DataError
from saflex_cli.experiment.confident import Confident, out_of_sample, raw_rows
from saflex_cli.experiment.knowledge import KnowledgeProbe, auc, margins
from saflex_cli.experiment.parts import Parts, build_parts
from saflex_cli.seeding import Streams
from tests.probes import write_probe

CPU = torch.device("cpu")


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return build_parts(load_probe(write_probe(tmp_path)).cases[0].recipe, "upstream", 0, None)


def config() -> Knowledge:
    return Knowledge(measure="knowledge", epochs=(0,), folds=3)


def test_auc_counts_pairs_and_is_scikit_learns() -> None:
    suspicion, wrong = torch.randint(4, (30,)).float(), torch.rand(30) < 0.4
    pairs = [
        1.0 if suspicion[i] > suspicion[j] else 0.5 if suspicion[i] == suspicion[j] else 0.0
        for i in wrong.nonzero()[:, 0]
        for j in (~wrong).nonzero()[:, 0]
    ]
    assert auc(suspicion, wrong) == pytest.approx(np.mean(pairs))
    assert auc(suspicion, wrong) == roc_auc_score(wrong.numpy(), suspicion.numpy())


def test_margins_by_hand() -> None:
    log_probs = torch.tensor([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1]]).log()
    assert margins(log_probs, torch.tensor([0, 2])).tolist() == pytest.approx([0.5, -0.6])


def test_every_value_of_a_state_against_a_slow_twin(parts: Parts) -> None:
    model = parts.model(CPU)
    model.train()
    values = KnowledgeProbe(config(), parts, CPU)(model, 0)
    assert parts.pool is not None
    chosen = ~parts.pool.scrambled
    inputs, labels = parts.pool.inputs[chosen], parts.pool.labels[chosen]
    wrong, true = parts.pool.mislabelled[chosen], parts.pool.true_labels[chosen]
    model.eval()
    val = parts.splits.val
    for scope in ("head", "all"):
        matrix = alignment(model, inputs, val.inputs, val.labels, scope=scope).matrix
        at_label = matrix[torch.arange(len(labels)), labels]
        assert values[f"auc/pi_{scope}"] == roc_auc_score(wrong, -at_label)
        assert values[f"weight_wrong/pi_{scope}"] == pytest.approx((at_label[wrong] >= 0).double().mean().item())
        assert values[f"recovered/pi_{scope}"] == pytest.approx(
            (matrix.argmax(1) == true)[wrong].double().mean().item()
        )
    losses = functional.cross_entropy(model(inputs), labels, reduction="none").detach()
    assert values["auc/loss"] == pytest.approx(roc_auc_score(wrong, losses))
    refined = Saflex(preset="proximal")(
        model=model, inputs=inputs, upstream_labels=labels, outer_inputs=val.inputs, outer_labels=val.labels
    )
    given = refined.soft_labels.argmax(1)
    assert values["kept/proximal"] == pytest.approx((given == true)[~wrong].double().mean().item())
    found = Saflex(preset="weights_only", head_features="centred")(
        model=model, inputs=inputs, upstream_labels=labels, outer_inputs=val.inputs, outer_labels=val.labels
    )
    kept = found.sample_weights[~wrong].double().mean().item()
    assert values["weight_right/pi_head_centred"] == pytest.approx(kept)
    assert all(0 <= value <= 1 for value in values.values())


def test_it_leaves_no_trace(parts: Parts) -> None:
    model = parts.model(CPU)
    model.train()
    probe = KnowledgeProbe(config(), parts, CPU)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    first = probe(model, 3)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(module.training for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert probe(model, 3) == first


def test_out_of_sample_predictions_never_see_the_sample() -> None:
    rows = torch.randn(60, 3)
    labels = torch.arange(60) % 2
    streams = Streams(0)
    first = out_of_sample(rows, labels, 2, levels=(), folds=3, streams=streams)
    rows_moved, other = rows.clone(), labels.clone()
    place = 7
    rows_moved[place] += 100.0  # its own fold's regressions do not move
    moved = out_of_sample(rows_moved, other, 2, levels=(), folds=3, streams=streams)
    unchanged = np.isclose(first, moved).all(1)
    assert not unchanged[place]
    assert 10 < unchanged.sum() < 25  # the other samples of its fold
    assert np.allclose(first.sum(1), 1)


def test_confident_learning_is_cleanlabs_and_the_outer_set_helps() -> None:
    centres = torch.tensor([[-2.0, 0.0], [2.0, 0.0]])
    true = torch.arange(200) % 2
    rows = centres[true] + torch.randn(200, 2)
    wrong = torch.rand(200) < 0.2
    labels = torch.where(wrong, 1 - true, true)
    found = Confident.of(rows, labels, 2, levels=(), folds=4, streams=Streams(0))
    predicted = out_of_sample(rows, labels, 2, levels=(), folds=4, streams=Streams(0))
    assert np.allclose(found.suspicion.numpy(), 1 - predicted[np.arange(200), labels.numpy()])
    assert auc(found.suspicion, wrong) > 0.9
    assert found.keeps[~wrong].double().mean() > 0.9
    assert found.keeps[wrong].double().mean() < 0.3
    beside = Confident.of(rows, labels, 2, levels=(), folds=4, streams=Streams(0), beside=(rows, true))
    assert auc(beside.suspicion, wrong) >= auc(found.suspicion, wrong)


def test_images_become_rows_as_the_networks_see_them(parts: Parts) -> None:
    inputs = parts.splits.val.inputs
    rows = raw_rows(inputs, parts.splits)
    scale = parts.splits.scale
    assert torch.allclose(rows[3], ((inputs[3] - scale.mean) / scale.std).flatten())
    whole = raw_rows((inputs * 255).round().to(torch.uint8), parts.splits)
    assert torch.allclose(whole, rows, atol=2 / 255)
    table = torch.randn(4, 3)
    assert raw_rows(table, parts.splits) is table


def test_too_few_samples_of_a_class() -> None:
    with pytest.raises(DataError, match=r"a class has 2 samples in the pool, and probe\.folds is 3; lower it"):
        out_of_sample(torch.randn(8, 2), torch.tensor([0] * 6 + [1] * 2), 2, levels=(), folds=3, streams=Streams(0))
