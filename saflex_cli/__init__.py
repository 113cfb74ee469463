"""SAFLEX: sample weights and soft labels for the output of any data augmentation.

The parts to build on: `saflex_cli.core` (the method, for your own loop) and `saflex_cli.experiment.run` (a recipe with
your own augmentation).
"""

__version__ = "0.1.0"
