"""Files fetched over https: resumed where a transfer broke, and given their name only once their MD5 is right."""

import errno
import hashlib
import os
import sys
from contextlib import suppress
from http.client import HTTPException, HTTPMessage, IncompleteRead
from io import BufferedWriter
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from saflex_cli.errors import DataError

if sys.platform != "win32":
    import fcntl

_CHUNK = 1 << 20  # bytes
_NOTHING_LEFT = 416
_FROM_OFFSET = 206


def md5_of(path: Path) -> str:
    """MD5 of a file, as MedMNIST and Zenodo state it."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def download(url: str, target: Path, *, md5: str, timeout: float = 30.0, allow_local: bool = False) -> None:
    """Fetch a file.

    What arrives is collected in `<target>.part`, which nobody reads but a later call, to go on from there. The file
    gets its name in one step, after its MD5 was found right.

    Args:
        url: https only.
        target: The file to make; its folder is made too.
        md5: What the file must have.
        timeout: Seconds without an answer or a byte after which the transfer counts as broken.
        allow_local: Allow http as well, from 127.0.0.1 alone.

    Raises:
        DataError: says what went wrong, and what to fetch by hand and where to put it: no network, an answer such as
            404, a broken transfer, a full disk, a wrong MD5, another process that fetches the same file.
    """
    _checked(url, allow_local)
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        found = _fetch(url, part, md5, timeout, allow_local)
        if found == md5:
            part.replace(target)
        else:
            part.unlink()
    except (OSError, HTTPException) as error:
        raise DataError(f"{target}: {_reason(error, part)}; {_by_hand(url, target)}") from error
    if found != md5:
        raise DataError(
            f"{target}: what {url} sent has MD5 {found}, not {md5}, and was deleted; {_by_hand(url, target)}"
        )


def _fetch(url: str, part: Path, md5: str, timeout: float, allow_local: bool) -> str:
    """Fill the part; gives its MD5. What an earlier call left is thrown away if it turns out to belong elsewhere."""
    with part.open("ab") as handle:
        _lock(handle, part)
        resumed = handle.tell() > 0
        try:
            _transfer(url, handle, timeout, allow_local)
            if resumed and md5_of(part) != md5:
                handle.truncate(0)
                _transfer(url, handle, timeout, allow_local)
            return md5_of(part)
        finally:
            with suppress(OSError):
                if handle.seek(0, os.SEEK_END) == 0:
                    part.unlink()


def _transfer(url: str, handle: BufferedWriter, timeout: float, allow_local: bool) -> None:
    start = handle.seek(0, os.SEEK_END)
    headers = {"User-Agent": "saflex"} | ({"Range": f"bytes={start}-"} if start else {})
    request = Request(url, headers=headers)  # noqa: S310 - its scheme is checked
    try:
        response = build_opener(_CheckedRedirects(allow_local)).open(request, timeout=timeout)
    except HTTPError as error:
        with error:
            if error.code == _NOTHING_LEFT and start:
                return
            raise
    with response:
        if response.status != _FROM_OFFSET:
            handle.truncate(0)
        received, announced = 0, response.headers.get("Content-Length")
        while chunk := response.read(_CHUNK):
            received += handle.write(chunk)
    handle.flush()
    if announced is not None and received < int(announced):
        raise IncompleteRead(b"", int(announced) - received)


class _CheckedRedirects(HTTPRedirectHandler):
    """Follows a redirection to an address that may be fetched, and no other."""

    def __init__(self, allow_local: bool) -> None:
        self.allow_local = allow_local

    def redirect_request(
        self,
        req: Request,
        fp: Any,  # noqa: ANN401 - a response that the annotation of the base does not fit
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> Request | None:
        """As the base does, after the check."""
        return super().redirect_request(req, fp, code, msg, headers, _checked(newurl, self.allow_local))


def _checked(url: str, allow_local: bool) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (allow_local and (parts.scheme, parts.hostname) == ("http", "127.0.0.1")):
        raise DataError(f"{url}: not an https address; nothing is fetched from it")
    return url


def _lock(handle: BufferedWriter, part: Path) -> None:
    """Two processes must not fill one part; the lock ends with the process that holds it."""
    if sys.platform == "win32":
        return
    with suppress(OSError):  # a file system without locks
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(f"{part}: another process is fetching this file; run again when it is done") from error


def _reason(error: Exception, part: Path) -> str:
    if isinstance(error, HTTPError):
        return f"the server answers {error.code} {error.reason}"
    if isinstance(error, URLError):
        return f"the server cannot be reached ({error.reason})"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full; make room and run again, which goes on from {part.name}, or delete that file"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be written ({error.strerror})"
    return f"the transfer broke ({error}); run again, which goes on from {part.name}"


def _by_hand(url: str, target: Path) -> str:
    return f"or fetch {url} by hand and put it there as {target.name}"
