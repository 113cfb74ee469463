"""Errors for the user: each says what is wrong, where, and what to do; the command line prints no traceback."""


class SaflexError(Exception):
    """Base of every error that a user can cause and mend."""


class RecipeError(SaflexError):
    """A recipe, table file or `--set` that cannot be used; names file, line and dotted path."""


class DataError(SaflexError):
    """Data that is missing, malformed or does not fit the recipe."""


class CheckpointError(SaflexError):
    """A checkpoint that cannot be read or belongs to another run."""


class TrainingError(SaflexError):
    """A run that cannot go on, for example because its loss is not finite."""


class ResultsError(SaflexError):
    """Reports that are missing, stale or would be overwritten."""


class SaflexValueError(SaflexError, ValueError):
    """An argument of the core that has the wrong shape, type or range."""
