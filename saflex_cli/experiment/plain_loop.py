"""The training loop that one writes by hand: what the method `upstream` does, without this program around it.

A yardstick for what the loop of `saflex_cli.train` costs. Tests hold both to the same weights.
"""

from collections.abc import Callable, Iterator

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

Data = tuple[Tensor, Tensor]
"""Inputs and labels."""
Augment = Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
"""Inputs and labels to inputs, soft labels and weights."""


def plain_batches(data: Data, size: int, generator: torch.Generator) -> Iterator[Data]:
    """All samples in random order."""
    inputs, labels = data
    for chosen in torch.randperm(len(labels), generator=generator).to(labels.device).split(size):
        yield inputs[chosen], labels[chosen]


def plain_step(model: nn.Module, optimizer: Optimizer, augment: Augment, inputs: Tensor, labels: Tensor) -> Tensor:
    """One update; the loss."""
    inputs, soft_labels, weights = augment(inputs, labels)
    losses = functional.cross_entropy(model(inputs), soft_labels, reduction="none")
    loss = (weights * losses).sum() / weights.sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def plain_run(
    model: nn.Module,
    optimizer: Optimizer,
    train: Data,
    val: Data,
    *,
    epochs: int,
    batch_size: int,
    order: Callable[[int], torch.Generator],
    augment: Callable[[int], Augment],
) -> dict[str, Tensor]:
    """Whole epochs with a validation after each; the weights of the best one by AUROC."""
    best, kept = -1.0, dict[str, Tensor]()
    for epoch in range(epochs):
        model.train()
        augmentation = augment(epoch)
        for inputs, labels in plain_batches(train, batch_size, order(epoch)):
            plain_step(model, optimizer, augmentation, inputs, labels)
        area = _auroc(model, val)
        if area > best:
            best, kept = area, {name: value.clone() for name, value in model.state_dict().items()}
    return kept


@torch.no_grad()
def _auroc(model: nn.Module, data: Data) -> float:
    model.eval()
    chances = torch.cat([model(batch) for batch in data[0].split(1024)]).softmax(1).cpu()
    scores = chances[:, 1] if chances.shape[1] == 2 else chances
    return float(roc_auc_score(data[1].cpu(), scores, multi_class="ovr"))
