"""Upstream augmentations: what happens to a batch before SAFLEX sees it."""
