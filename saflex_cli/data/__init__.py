"""Data sets as tensors with fixed splits; one file per source."""
