"""`saflex bench`: one file per sub-command."""
