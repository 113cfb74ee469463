"""The method, for anybody's own loop; needs torch and jaxtyping alone. `README.md` here maps the equations."""

from saflex_cli.core.alignment import Alignment, align, alignment, outer_direction
from saflex_cli.core.contrastive import contrastive_loss, single_encoder_loss
from saflex_cli.core.contrastive_saflex import ContrastiveSaflex, RefinedPairs
from saflex_cli.core.contrastive_towers import Encoded
from saflex_cli.core.directional import OuterDirection
from saflex_cli.core.losses import soft_cross_entropy, soft_labels
from saflex_cli.core.recorded import RecordedPass, recorded_direction, recorded_pass
from saflex_cli.core.saflex import Refined, Saflex
from saflex_cli.core.solution import solve_labels, solve_weights
from saflex_cli.settings import PRESETS, Settings

__all__ = [
    "PRESETS",
    "Alignment",
    "ContrastiveSaflex",
    "Encoded",
    "OuterDirection",
    "RecordedPass",
    "Refined",
    "RefinedPairs",
    "Saflex",
    "Settings",
    "align",
    "alignment",
    "contrastive_loss",
    "outer_direction",
    "recorded_direction",
    "recorded_pass",
    "single_encoder_loss",
    "soft_cross_entropy",
    "soft_labels",
    "solve_labels",
    "solve_weights",
]
