"""The command line: one file per command.

`main` and the modules named after commands import nothing heavy at their top, so that `--help` answers at once:
whatever needs pydantic, scikit-learn or torch is imported inside functions.
"""
