"""A process that makes some training steps of one variant, and prints what it took: peak, and before the first step.

Started by `memory`, with its job as JSON on stdin. Bytes of resident memory.
"""

import gc
import json
import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from saflex_cli.config.load import frozen
from saflex_cli.config.schema import Recipe
from saflex_cli.experiment.costs.overhead import Place, make_turn

_STATUS = Path("/proc/self/status")


def main() -> None:
    """Read the job, do it, say what it took."""
    job = json.load(sys.stdin)
    torch.set_num_threads(job["threads"])
    recipe = Recipe.model_validate(frozen(job["recipe"]))
    torch.manual_seed(recipe.seeds[0])
    with TemporaryDirectory() as scratch:
        place = Place(torch.device("cpu"), Path(scratch), None if job["root"] is None else Path(job["root"]))
        turn = make_turn(job["name"], recipe, place)
        gc.collect()
        _forget_peak()
        before = resident("VmRSS")
        turn(job["steps"])
        print(json.dumps([resident("VmHWM"), before]))  # noqa: T201 - what the parent reads


def resident(field: str) -> int:
    """`VmHWM`, the most so far, or `VmRSS`, now.

    Where the system does not tell, the most so far in either case: what the kernel counts for the process.
    """
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def _forget_peak() -> None:
    """Reading the data may have taken more than a step does; where the system refuses, the peak includes it."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


if __name__ == "__main__":
    main()
