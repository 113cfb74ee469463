"""What one run is made of, built from its recipe."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from saflex_cli.augment.batch import Upstream, UpstreamFunction
from saflex_cli.augment.build import build_upstream, upstream_from_function
from saflex_cli.augment.pool import PoolDraw
from saflex_cli.config.identity import find_method, run_config
from saflex_cli.config.schema import MethodConfig, Recipe, SaflexMethod
from saflex_cli.config.schema import Upstream as UpstreamMethod
from saflex_cli.data.build import build_data
from saflex_cli.data.pool import Pool, take_pool
from saflex_cli.data.root import data_root
from saflex_cli.data.splits import Splits
from saflex_cli.experiment.facts import pool_facts
from saflex_cli.models.build import build_model
from saflex_cli.models.standardise import Standardised
from saflex_cli.seeding import Streams
from saflex_cli.store.report import DataFacts
from saflex_cli.train.acceleration import accelerate
from saflex_cli.train.batch_norm import require_batch_norm
from saflex_cli.train.folds import Folds
from saflex_cli.train.loop import Fit
from saflex_cli.train.optimizer import build_optimizer
from saflex_cli.train.steps import build_step, train_split


@dataclass(frozen=True)
class Parts:
    """Recipe, method and seed, with the data and the augmentation that they name."""

    recipe: Recipe
    method: MethodConfig
    seed: int
    splits: Splits
    upstream: Upstream | None
    config: dict[str, Any]
    pool: Pool | None = None
    """Training samples that the recipe sets aside."""

    @property
    def trains_on_val(self) -> bool:
        """Whether nothing is left to select on."""
        return "val" in self.method.train_on

    @property
    def refined(self) -> bool:
        """Whether the method learns weights and labels, and reports them."""
        return self.method.name == "saflex"

    @property
    def identity(self) -> dict[str, Any]:
        """What a checkpoint must match to belong to this run."""
        return {
            "recipe": self.recipe.name,
            "method": self.method.label,
            "seed": self.seed,
            "config": self.config,
            "data_sha256": self.splits.sha256,
        }

    @property
    def data_facts(self) -> DataFacts:
        """What a report says of the data."""
        splits = self.splits
        return DataFacts(
            train=len(train_split(self.method, splits)),
            val=0 if self.trains_on_val else len(splits.val),
            test=len(splits.test),
            classes=splits.classes,
            sha256=splits.sha256,
            md5=splits.md5,
            pools=() if self.upstream is None else self.upstream.pools,
            duplicates_across_splits=splits.duplicates_across_splits,
            noisy_pool=None if self.pool is None else pool_facts(self.pool),
        )

    @property
    def reestimates_batch_norm(self) -> bool:
        """Whether the model is judged with BatchNorm statistics of the clean training data."""
        return isinstance(self.method, UpstreamMethod) and self.method.reestimate_batch_norm

    def model(self, device: torch.device) -> Standardised:
        """The network with its initial weights.

        Raises:
            RecipeError: if the network does not go with the data or the method.
        """
        splits = self.splits
        model = build_model(
            self.recipe.model,
            shape=splits.train.shape,
            levels=splits.levels,
            classes=splits.classes,
            mean=splits.scale.mean,
            std=splits.scale.std,
            streams=Streams(self.seed),
        )
        if self.reestimates_batch_norm:
            require_batch_norm(model, self.method.label)
        return model.to(device)

    def fit(self, model: Standardised, device: torch.device, checkpoint: Path) -> Fit:
        """The training loop, ready to run."""
        splits, streams = self.splits.to(device), Streams(self.seed)
        accelerate(model, self.recipe.train)
        optimizer = build_optimizer(self.recipe.optimizer, model)
        step = build_step(
            self.method,
            model=model,
            splits=splits,
            upstream=self.upstream,
            batch_size=self.recipe.train.batch_size,
            epochs=self.recipe.train.epochs,
            streams=streams,
            optimizer=optimizer,
        )
        train = train_split(self.method, splits)
        rotating = isinstance(self.method, SaflexMethod) and self.method.outer == "fold"
        return Fit(
            model=model,
            step=step,
            optimizer=optimizer,
            train=train,
            folds=Folds(train, streams) if rotating else None,
            val=None if self.trains_on_val else splits.val,
            recipe=self.recipe,
            streams=streams,
            checkpoint=checkpoint,
            identity=self.identity,
            refined=self.refined,
            reestimate=self.reestimates_batch_norm,
        )


def build_parts(
    recipe: Recipe,
    label: str,
    seed: int,
    root: Path | None,
    augmenter: UpstreamFunction | None = None,
    *,
    augmented: bool = True,
    splits: Splits | None = None,
) -> Parts:
    """Load the data and build the augmentation of one run; `augmenter` takes the place of the recipe's.

    Without `augmented` there is none: an evaluation needs no pre-made samples. `splits` are the recipe's data, where
    they have been loaded already, with the samples of a pool still in `train`.

    Raises:
        RecipeError: if the recipe has no such method.
        DataError: if data or pre-made samples cannot be used.
    """
    method = find_method(recipe, label)
    splits = splits or build_data(recipe.data, seed, data_root(root))
    splits, pool = (splits, None) if recipe.pool is None else take_pool(splits, recipe.pool, seed)
    config = run_config(recipe, method)
    steps = method.augmenter if method.augmenter is not None else recipe.augmenter
    upstream = None
    if not augmented:
        steps = None
    if method.uses_upstream and augmenter is not None:
        name = getattr(augmenter, "__qualname__", type(augmenter).__name__)
        config["augmenter"] = [{"name": "function", "function": name}]
        upstream = upstream_from_function(augmenter, splits.classes)
    elif method.uses_upstream and steps is not None:
        upstream = build_upstream(
            steps,
            shape=splits.train.shape,
            levels=splits.levels,
            class_names=splits.class_names,
            root=data_root(root),
            pool=None if pool is None else PoolDraw(pool.inputs, pool.labels, pool.true_labels),
        )
    return Parts(recipe, method, seed, splits, upstream, config, pool)
