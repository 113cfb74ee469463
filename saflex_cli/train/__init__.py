"""Training: one step per method, one loop for all, evaluation, and checkpoints without pickled code."""
