"""Our downloader against a local server: nothing but a verified file ever gets the file's name."""

import errno
import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from saflex_cli.data import download as module
from saflex_cli.data.download import download, md5_of
from saflex_cli.errors import DataError

CONTENT = bytes(range(256)) * 40_000  # several chunks
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        server.ranges.append(self.headers.get("Range"))
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/file")
            self.end_headers()
        elif self.path != "/file":
            self.send_error(404)
        else:
            self._send(server)

    def _send(self, server: "Server") -> None:
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and server.knows_ranges else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : server.breaks_at])

    def log_message(self, *_: object) -> None:
        """Silent."""


class Server(ThreadingHTTPServer):
    breaks_at: int | None = None
    knows_ranges = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges: list[str | None] = []

    def url(self, path: str = "/file") -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "medmnist" / "file.npz"


def part_of(target: Path) -> Path:
    return target.with_name("file.npz.part")


def fetch(url: str, target: Path, md5: str = MD5) -> None:
    download(url, target, md5=md5, timeout=5.0, allow_local=True)


def test_a_file_is_fetched_whole(server: Server, target: Path) -> None:
    fetch(server.url(), target)
    assert target.read_bytes() == CONTENT
    assert md5_of(target) == MD5
    assert list(target.parent.iterdir()) == [target]


def test_a_broken_transfer_goes_on_where_it_stopped(server: Server, target: Path) -> None:
    server.breaks_at = 3_000_000
    with pytest.raises(
        DataError, match=r"file\.npz: the transfer broke .* run again, which goes on from file\.npz\.part"
    ):
        fetch(server.url(), target)
    assert not target.exists()
    assert part_of(target).stat().st_size == 3_000_000
    server.breaks_at = None
    fetch(server.url(), target)
    assert server.ranges == [None, "bytes=3000000-"]
    assert target.read_bytes() == CONTENT
    assert not part_of(target).exists()


@pytest.mark.parametrize("knows_ranges", [True, False])
@pytest.mark.parametrize("left", [b"of another file", CONTENT + b"too long", CONTENT])
def test_whatever_part_is_left_the_file_is_right(server: Server, target: Path, left: bytes, knows_ranges: bool) -> None:
    server.knows_ranges = knows_ranges
    target.parent.mkdir()
    part_of(target).write_bytes(left)
    fetch(server.url(), target)
    assert target.read_bytes() == CONTENT


def test_a_wrong_checksum_leaves_nothing(server: Server, target: Path) -> None:
    wrong = "0" * 32
    with pytest.raises(DataError, match=rf"MD5 {MD5}, not {wrong}, and was deleted; or fetch http://.*/file by hand"):
        fetch(server.url(), target, md5=wrong)
    assert list(target.parent.iterdir()) == []


def test_a_wrong_checksum_leaves_an_earlier_file_alone(server: Server, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"earlier")
    with pytest.raises(DataError, match="was deleted"):
        fetch(server.url(), target, md5="0" * 32)
    assert target.read_bytes() == b"earlier"


def test_not_found(server: Server, target: Path) -> None:
    with pytest.raises(DataError, match=r"the server answers 404 Not Found; .*by hand and put it there as file\.npz"):
        fetch(server.url("/elsewhere"), target)
    assert list(target.parent.iterdir()) == []


def test_nobody_listens(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DataError, match=r"the server cannot be reached \(.*refused.*by hand"):
        fetch(f"http://127.0.0.1:{port}/file", target)
    assert list(target.parent.iterdir()) == []


def test_a_server_that_never_answers(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/file"
        with pytest.raises(DataError, match="timed out"):
            download(url, target, md5=MD5, timeout=0.1, allow_local=True)
    assert not target.exists()


def test_a_full_disk(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_transfer", full)
    with pytest.raises(DataError, match=r"the disk is full; make room and run again"):
        fetch(server.url(), target)
    assert not target.exists()


def test_a_folder_that_cannot_be_made(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"file cannot be written"):
        fetch(server.url(), tmp_path / "file" / "file.npz")


@pytest.mark.parametrize("url", ["http://example.org/file", "file:///etc/hostname", "ftp://127.0.0.1/file"])
def test_only_https(url: str, target: Path) -> None:
    with pytest.raises(DataError, match="not an https address"):
        fetch(url, target)
    with pytest.raises(DataError, match="not an https address"):
        download("http://127.0.0.1:1/file", target, md5=MD5)
    assert not target.parent.exists()


def test_no_redirection_to_an_insecure_address(server: Server, target: Path) -> None:
    with pytest.raises(DataError, match=r"http://example\.invalid/file: not an https address"):
        fetch(server.url("/redirect"), target)
    assert server.ranges == [None]
    assert list(target.parent.iterdir()) == []


def test_two_processes_do_not_fill_one_part(server: Server, target: Path) -> None:
    target.parent.mkdir()
    with part_of(target).open("ab") as other:
        module._lock(other, part_of(target))
        with pytest.raises(DataError, match=r"file\.npz\.part: another process is fetching this file"):
            fetch(server.url(), target)
    fetch(server.url(), target)
    assert target.read_bytes() == CONTENT
