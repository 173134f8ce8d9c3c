from __future__ import annotations

import gzip
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import execute
from warcio.archiveiterator import ArchiveIterator

from crawler.config.schema import CoreSettings
from crawler.download.archive import ArchivingDownloader, WarcFile
from crawler.download.archived import ArchiveDownloader
from crawler.download.fast.downloader import FastDownloader
from crawler.download.twisted import TwistedDownloader
from crawler.errors import BodyTooLarge, CloseSpider, NotInCache, TruncatedBody
from crawler.model.request import Request
from crawler.model.response import Response
from tests.download.chaos import CLOSE, Chaos, answer, echo, steps
from tests.download.reactor import reactor, run

PAGE = b"<p>" + b"some text " * 3000


@pytest.fixture
def server() -> Iterator[Chaos]:
    chaos = Chaos(
        {
            "/": steps(answer(b"<p>hello", headers=b"X-A: 1\r\n")),
            "/post": echo,
            "/post?two": echo,
            "/gzip": steps(answer(gzip.compress(PAGE), headers=b"Content-Encoding: gzip\r\n")),
            "/chunked": steps(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
            "/half": steps(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", CLOSE),
            "/no": steps(answer(b"", status=b"404 Not Found")),
        }
    )
    yield chaos
    chaos.close()


def archive(kind: Any, server: Chaos, path: Path) -> None:
    file = WarcFile(path, software="crawler/0.1")
    downloader = ArchivingDownloader(kind(CoreSettings(), reactor=reactor), file, execute, wall=lambda: 1_800_000_000.0)
    assert run(downloader.fetch(Request(server.url("/")))).body == b"<p>hello"
    assert run(downloader.fetch(Request(server.url("/gzip")))).body == PAGE
    assert run(downloader.fetch(Request(server.url("/chunked#x")))).body == b"abcde"
    assert run(downloader.fetch(Request(server.url("/no")))).status == 404
    run(downloader.fetch(Request(server.url("/post"), method="POST", body=b"x=1")))
    for body in (b"page=1", b"page=2"):
        run(downloader.fetch(Request(server.url("/post?two"), method="POST", body=body)))
    with pytest.raises(TruncatedBody):
        run(downloader.fetch(Request(server.url("/half"))))
    run(downloader.close())


def fetch(archived: ArchiveDownloader, url: str, **request: Any) -> Response:
    return run(archived.fetch(Request(url, **request)))


@pytest.mark.parametrize("kind", [TwistedDownloader, FastDownloader])
@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_there_and_back(kind: Any, name: str, server: Chaos, tmp_path: Path) -> None:
    path = tmp_path / name
    archive(kind, server, path)
    assert path.stat().st_mode & 0o777 == 0o600
    checked = subprocess.run([sys.executable, "-m", "warcio.cli", "check", "-v", path], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    assert "digest pass" in checked.stdout
    with path.open("rb") as file:
        kinds = [record.rec_type for record in ArchiveIterator(file)]
    assert kinds == ["warcinfo", *["request", "response"] * 8]
    archived = ArchiveDownloader(path)
    assert archived.urls == [server.url(path) for path in ("/", "/gzip", "/chunked", "/no", "/half")]
    response = fetch(archived, server.url("/"))
    assert (response.status, response.reason, response.body, response.headers["X-A"]) == (200, "OK", b"<p>hello", b"1")
    assert response.flags == ["archived"]
    assert fetch(archived, server.url("/gzip")).body == PAGE
    assert "Content-Encoding" not in fetch(archived, server.url("/gzip")).headers
    assert fetch(archived, server.url("/chunked")).body == b"abcde"
    assert fetch(archived, server.url("/no")).status == 404
    assert b"x=1" in fetch(archived, server.url("/post"), method="POST").body
    assert b"page=1" in fetch(archived, server.url("/post?two"), method="POST", body=b"page=1").body
    assert b"page=2" in fetch(archived, server.url("/post?two"), method="POST", body=b"page=2").body
    with pytest.raises(NotInCache):
        fetch(archived, server.url("/post?two"), method="POST", body=b"page=3")
    half = fetch(archived, server.url("/half"))
    assert (half.body, half.flags) == (b"half", ["archived", "dataloss"])
    with pytest.raises(NotInCache):
        fetch(archived, server.url("/post"))


def test_appending(server: Chaos, tmp_path: Path) -> None:
    for _ in range(2):
        archive(FastDownloader, server, tmp_path / "a.warc.gz")
    assert len(ArchiveDownloader(tmp_path / "a.warc.gz")) == 8


def test_a_bomb_in_an_archive(tmp_path: Path, server: Chaos) -> None:
    archive(FastDownloader, server, tmp_path / "a.warc.gz")
    with pytest.raises(BodyTooLarge):
        fetch(ArchiveDownloader(tmp_path / "a.warc.gz", max_size=1000), server.url("/gzip"))


@pytest.mark.parametrize("damage", ["cut", "overwritten", "nonsense"])
def test_a_damaged_archive(damage: str, server: Chaos, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.warc.gz"
    archive(FastDownloader, server, path)
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(
        {"cut": data[:middle], "overwritten": data[:middle] + b"\xaa" * middle, "nonsense": b"nonsense" * 100}[damage]
    )
    with caplog.at_level(logging.WARNING):
        archived = ArchiveDownloader(path)
    for url in archived.urls:
        try:
            fetch(archived, url)
        except NotInCache:
            assert url == archived.urls[-1]
    assert len(archived) < 8
    # What has no response at all is no archive; whoever reads it tells.
    assert ("damaged" in caplog.text) is (damage != "nonsense")


def test_an_archive_that_cannot_be_written_ends_the_crawl(server: Chaos, tmp_path: Path) -> None:
    class Full:
        path = tmp_path

        def write(self, recorded: Any) -> None:
            raise OSError("no space left on device")

        def close(self) -> None:
            """Nothing is open."""

    full: Any = Full()
    downloader = ArchivingDownloader(FastDownloader(CoreSettings(), reactor=reactor), full, execute, wall=lambda: 0.0)
    with pytest.raises(CloseSpider):
        run(downloader.fetch(Request(server.url("/"))))
    run(downloader.close())
