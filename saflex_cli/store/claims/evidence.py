"""What our own reports say about SAFLEX, its upstream augmentation, and training without augmentation."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from saflex_cli.config.schema import MethodConfig
from saflex_cli.store.bench import Benchmark
from saflex_cli.store.claims.measured import (
    Measured,
    MeasuredRecipe,
    is_lp_a3,
    is_no_augmentation,
    is_saflex,
    is_soft_augmentation,
    is_upstream,
)
from saflex_cli.store.estimates import Difference
from saflex_cli.store.performance.epoch import EpochBenchmark

_LISTED = 4
"""More comparisons than this are summarised."""


@dataclass(frozen=True)
class Evidence:
    """Lines from reports that were made in one setting."""

    setting: str
    lines: tuple[str, ...]


def none_yet(_: Measured) -> tuple[Evidence, ...]:
    """For claims that no experiment of ours speaks to yet."""
    return ()


def saflex_against_upstream(measured: Measured) -> tuple[Evidence, ...]:
    """SAFLEX minus RandAugment or Mixup."""
    return _compare(measured.with_augmenter("randaugment", "mixup"), is_saflex, is_upstream)


def saflex_against_no_augmentation(measured: Measured) -> tuple[Evidence, ...]:
    """SAFLEX with RandAugment or Mixup minus training data as they are."""
    return _compare(measured.with_augmenter("randaugment", "mixup"), is_saflex, is_no_augmentation)


def upstream_against_no_augmentation(measured: Measured) -> tuple[Evidence, ...]:
    """RandAugment or Mixup minus training data as they are."""
    return _compare(measured.with_augmenter("randaugment", "mixup"), is_upstream, is_no_augmentation)


def crop_against_no_augmentation(measured: Measured) -> tuple[Evidence, ...]:
    """Crop minus training data as they are."""
    return _compare(measured.with_augmenter("crop"), is_upstream, is_no_augmentation)


def soft_augmentation_against_no_augmentation(measured: Measured) -> tuple[Evidence, ...]:
    """Soft-Augmentation minus training data as they are."""
    return _compare(measured.with_augmenter("crop"), is_soft_augmentation, is_no_augmentation)


def soft_augmentation_against_crop(measured: Measured) -> tuple[Evidence, ...]:
    """Soft-Augmentation minus the crop."""
    return _compare(measured.with_augmenter("crop"), is_soft_augmentation, is_upstream)


def saflex_against_soft_augmentation(measured: Measured) -> tuple[Evidence, ...]:
    """SAFLEX with the crop minus Soft-Augmentation: not the pair of the paper, but on the same data."""
    return _compare(measured.with_augmenter("crop"), is_saflex, is_soft_augmentation)


def saflex_against_lp_a3(measured: Measured) -> tuple[Evidence, ...]:
    """SAFLEX with the crop minus LP-A3."""
    return _compare(measured.with_augmenter("crop"), is_saflex, is_lp_a3)


def overheads(measured: Measured) -> tuple[Evidence, ...]:
    """Time of a training step, and of an epoch, of SAFLEX over that of its upstream on MedMNIST, in turns."""
    return _overheads(measured, lambda label: label.startswith("saflex_")) + _epochs(measured, "medmnist/")


def tabular_overheads(measured: Measured) -> tuple[Evidence, ...]:
    """Time of an epoch of SAFLEX over that of its upstream on tables, in turns."""
    return _epochs(measured, "tabular/")


def lp_a3_overhead(measured: Measured) -> tuple[Evidence, ...]:
    """The same for LP-A3 and SAFLEX, where both were measured."""
    with_lp_a3 = [one for one in measured.benchmarks if any(cost.method == "lp_a3" for cost in one.costs)]
    chosen = replace(measured, benchmarks=tuple(with_lp_a3))
    return _overheads(chosen, lambda label: label == "lp_a3" or label.startswith("saflex_"))


def _overheads(measured: Measured, wanted: Callable[[str], bool]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            f"a training step in {one.recipe} on {one.environment.device}, upstream = 0 %",
            tuple(_overhead(one, cost.method) for cost in one.costs if wanted(cost.method)),
        )
        for one in measured.benchmarks
        if one.baseline == "upstream"
    )


def _epochs(measured: Measured, prefix: str) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            f"an epoch in {one.recipe} on {one.machine.device}, upstream = 0 %",
            tuple(_epoch(one, cost.method) for cost in one.costs if cost.method.startswith("saflex_")),
        )
        for one in measured.epochs
        if one.recipe.startswith(prefix)
    )


def _epoch(benchmark: EpochBenchmark, label: str) -> str:
    middle, low, high = benchmark.summary(label)
    count = len(benchmark.overheads(label))
    rounds = f"{count} round{'s' if count > 1 else ''}"
    return f"`{label}`: {middle:+.0f} % (median of {rounds}, from {low:+.0f} to {high:+.0f} %)"


def _overhead(benchmark: Benchmark, label: str) -> str:
    middle, low, high = (100 * ratio - 100 for ratio in benchmark.summary(label))
    count = len(benchmark.ratios(label))
    rounds = f"{count} round{'s' if count > 1 else ''}"
    return f"`{label}`: {middle:+.0f} % (median of {rounds}, quartiles {low:+.0f} to {high:+.0f} %)"


def _compare(
    recipes: Iterable[MeasuredRecipe], ours: Callable[[MethodConfig], bool], theirs: Callable[[MethodConfig], bool]
) -> tuple[Evidence, ...]:
    """Differences by protocol and pair of methods."""
    found: dict[str, dict[tuple[str, str], list[tuple[str, Difference]]]] = {}
    for recipe in recipes:
        for label in recipe.labels(ours):
            for other in recipe.labels(theirs):
                difference = recipe.difference(label, other)
                if difference is not None:
                    pairs = found.setdefault(recipe.protocol, {})
                    place = f"{recipe.set_name} with {recipe.augmenter}"
                    pairs.setdefault((label, other), []).append((place, difference))
    return tuple(
        Evidence(protocol, tuple(_difference(*pair, by_recipe) for pair, by_recipe in pairs.items()))
        for protocol, pairs in found.items()
    )


def _difference(ours: str, theirs: str, by_recipe: Sequence[tuple[str, Difference]]) -> str:
    """Every difference, or of many the mean and the range; how many are above, and how many clearly."""
    differences = [difference for _, difference in by_recipe]
    means = [100 * difference.mean for difference in differences]
    if len(means) <= _LISTED:
        values = ", ".join(f"{place} {100 * difference.mean:+z.2f}" for place, difference in by_recipe)
    else:
        values = f"mean {statistics.fmean(means):+z.2f}, from {min(means):+z.2f} to {max(means):+z.2f}"
    above = f"above in {sum(round(mean, 9) > 0 for mean in means)} of {len(means)}"
    if all(difference.interval is None for difference in differences):
        return f"`{ours}` − `{theirs}`: {values}; {above}; one seed has no interval ({_seeds(differences)})"
    clear = [difference.mean > 0 for difference in differences if difference.is_clear]
    clearly = f"clearly above in {sum(clear)}, clearly below in {len(clear) - sum(clear)}"
    return f"`{ours}` − `{theirs}`: {values}; {above}, {clearly} ({_seeds(differences)})"


def _seeds(differences: Iterable[Difference]) -> str:
    counts = sorted({difference.n for difference in differences})
    return "n = " + " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
