"""The numeric claims of the paper's text, recomputed from the numbers it prints, beside our own reports."""
