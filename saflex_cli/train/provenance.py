"""What a run was made with: versions, device, commit. No host name, user or path."""

import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch

import saflex_cli
from saflex_cli.errors import SaflexError

_CODE = Path(saflex_cli.__file__).resolve().parent


def resolve_device(name: str) -> torch.device:
    """`cpu`, `cuda`, or `auto` (CUDA where there is one).

    Raises:
        SaflexError: if CUDA is asked for and absent.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise SaflexError("--device cuda: torch finds no CUDA device here; use --device cpu or auto")
    return torch.device(name, 0) if name == "cuda" else torch.device(name)


def environment(device: torch.device) -> dict[str, str | int | bool | None]:
    """The fields of a report's `environment`."""
    commit, dirty = git_state()
    return {
        "saflex": saflex_cli.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "scikit_learn": version("scikit-learn"),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else f"cpu ({platform.machine()})",
        "threads": torch.get_num_threads(),
        "git_commit": commit,
        "git_dirty": dirty,
    }


@cache
def git_state() -> tuple[str | None, bool | None]:
    """Commit of this program's checkout, and whether code or recipes differ from it; None without a checkout."""
    root = _CODE.parent
    if _git(root, "rev-parse", "--show-toplevel") != str(root):
        return None, None
    changed = _git(root, "status", "--porcelain", "--", "saflex_cli", "recipes", "pyproject.toml")
    return _git(root, "rev-parse", "HEAD") or None, bool(changed)


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, check=False)  # noqa: S603, S607
    except OSError:
        return ""
    return done.stdout.strip()


def processor() -> str | None:
    """The name of the CPU; None where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), None)
