"""Studies: their reports in packed files, their statistics and their tables."""
