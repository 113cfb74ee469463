"""What probes measured: packed records, tables, CSV."""
