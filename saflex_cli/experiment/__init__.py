"""One run, from a recipe, a method and a seed to a report; and a look at what it learned."""

from saflex_cli.experiment.evaluation import Evaluation, evaluate_checkpoint
from saflex_cli.experiment.places import Places, Progress, StateName, checkpoint_path
from saflex_cli.experiment.run import check, run, run_one
from saflex_cli.experiment.together import run_together

__all__ = [
    "Evaluation",
    "Places",
    "Progress",
    "StateName",
    "check",
    "checkpoint_path",
    "evaluate_checkpoint",
    "run",
    "run_one",
    "run_together",
]
