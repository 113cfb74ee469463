"""The optional package open_clip."""

from types import ModuleType

from saflex_cli.errors import SaflexError

INSTALL = "pip install 'saflex[clip]'"


def open_clip() -> ModuleType:
    """The package.

    Raises:
        SaflexError: if it is not installed.
    """
    try:
        import open_clip as package  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise SaflexError(f"CLIP needs the package open_clip_torch ({error}): {INSTALL}") from error
    return package  # type: ignore[no-any-return]
