"""What the costs had to be, set before they were measured, and whether they are."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Literal

from saflex_cli.store.performance.costs import Costs
from saflex_cli.store.performance.overhead import BASELINE, CLEAN

RESNET = "medmnist/breastmnist-randaugment"
QSAR, SHRUTIME = "tabular/qsar-mlp", "tabular/shrutime-mlp"
NAMES = {RESNET: "ResNet-18 on BreastMNIST", QSAR: "MLP on QSAR", SHRUTIME: "MLP on Shrutime"}

Verdict = Literal["met", "missed", "not measured"]


@dataclass(frozen=True)
class Goal:
    """One ratio and its limit."""

    case: str
    where: str
    limit: float
    ratios: Callable[[Costs], list[float]]
    """Round by round; empty where it was not measured."""
    at_least: bool = False
    """Whether the limit is the smallest ratio, and not the largest."""

    def judge(self, costs: Costs) -> Verdict:
        """By the median."""
        ratios = self.ratios(costs)
        if not ratios:
            return "not measured"
        middle = median(ratios)
        return "met" if (middle >= self.limit if self.at_least else middle <= self.limit) else "missed"


def _steps(costs: Costs, *, recipe: str, variant: str, against: str = BASELINE) -> list[float]:
    one = costs.overheads.get(recipe)
    return [] if one is None else one.ratios(variant, against)


def _memory(costs: Costs, *, recipe: str, variant: str) -> list[float]:
    one = costs.overheads.get(recipe)
    ratio = None if one is None else one.memory_ratio(variant)
    return [] if ratio is None else [ratio]


def _run(costs: Costs, *, recipe: str) -> list[float]:
    one = costs.epochs.get(recipe)
    return [] if one is None or one.run is None else one.run.ratios()


def _peer(costs: Costs, *, peer: str, ours: str) -> list[float]:
    return [] if costs.peers is None else costs.peers.ratios(peer, ours)


def _of_steps(case: str, limits: dict[str, float], variant: str, against: str = BASELINE) -> list[Goal]:
    return [
        Goal(case, NAMES[recipe], limit, partial(_steps, recipe=recipe, variant=variant, against=against))
        for recipe, limit in limits.items()
    ]


_MLPS = (QSAR, SHRUTIME)

GOALS: tuple[Goal, ...] = (
    *_of_steps("head, outer batch B, k = 4", {RESNET: 1.10} | dict.fromkeys(_MLPS, 1.25), "head_b_k4"),
    *_of_steps(
        "free variant, against the upstream with the clean batch",
        {RESNET: 1.03} | dict.fromkeys(_MLPS, 1.15),
        "clean_pass",
        CLEAN,
    ),
    *_of_steps("all parameters, outer batch B/4, k = 1", {RESNET: 2.1}, "all_b4_k1"),
    *_of_steps("all parameters, outer batch B/4, k = 4", {RESNET: 1.85}, "all_b4_k4"),
    *(
        Goal(f"{title} over SAFLEX {ours}", NAMES[RESNET].split(" on ")[0], limit, ratios, at_least=True)
        for title, peer, ours, limit in (
            ("L2RW (higher)", "l2rw_higher", "head", 3.0),
            ("L2RW (higher)", "l2rw_higher", "all", 1.5),
            ("L2RW (torchopt)", "l2rw_torchopt", "head", 3.0),
            ("L2RW (torchopt)", "l2rw_torchopt", "all", 1.5),
            ("Meta-Weight-Net (betty)", "mwn_betty", "head", 2.0),
            ("Meta-Weight-Net (betty)", "mwn_betty", "all", 1.05),
        )
        for ratios in (partial(_peer, peer=peer, ours=ours),)
    ),
    *(
        Goal("a whole run of `upstream` over the same by hand", NAMES[recipe], limit, partial(_run, recipe=recipe))
        for recipe, limit in {SHRUTIME: 1.15, RESNET: 1.05}.items()
    ),
    *(
        Goal("peak memory of head, B, k = 1", NAMES[recipe], 1.05, partial(_memory, recipe=recipe, variant="head_b_k1"))
        for recipe in (RESNET, *_MLPS)
    ),
)
"""The table of the goals, line by line."""
