"""Verdicts follow from medians."""

from saflex_cli.store.performance.costs import Costs
from saflex_cli.store.performance.goals import GOALS
from tests.store.performance.made_up import costs


def test_verdicts() -> None:
    judged = {(goal.case, goal.where): goal.judge(costs()) for goal in GOALS}
    assert len(judged) == len(GOALS) == 19
    resnet = "ResNet-18 on BreastMNIST"
    assert judged["head, outer batch B, k = 4", resnet] == "met", "the median of 1.05, 1.05 and 1.2"
    assert judged["head, outer batch B, k = 4", "MLP on QSAR"] == "not measured"
    assert judged["free variant, against the upstream with the clean batch", resnet] == "not measured"
    assert judged["all parameters, outer batch B/4, k = 1", resnet] == "missed"
    assert judged["L2RW (higher) over SAFLEX head", "ResNet-18"] == "met", "3.2 is at least 3"
    assert judged["L2RW (higher) over SAFLEX all", "ResNet-18"] == "met", "1.6 is at least 1.5"
    assert judged["Meta-Weight-Net (betty) over SAFLEX head", "ResNet-18"] == "not measured"
    assert judged["a whole run of `upstream` over the same by hand", "MLP on Shrutime"] == "met"
    assert judged["peak memory of head, B, k = 1", resnet] == "missed", "220 over 200"


def test_nothing_is_met_where_nothing_was_measured() -> None:
    assert {goal.judge(Costs()) for goal in GOALS} == {"not measured"}
