from __future__ import annotations

import gzip
import logging
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from crawler.config.schema import CoreSettings
from crawler.download.agent.twisted import TwistedDownloader
from crawler.download.archive.file_end import whole_length
from crawler.download.archive.reading import ArchiveDownloader
from crawler.download.archive.writing import ArchivingDownloader, WarcFile
from crawler.download.http.downloader import FastDownloader
from crawler.errors import BodyTooLarge, LocalFailure, NotInCache, TruncatedBody
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.threads import InlinePool
from tests.download.chaos import CLOSE, Chaos, answer, echo, steps
from tests.download.reactor import reactor, run

PAGE = b"<p>" + b"some text " * 3000


def archiving(inner: Any, file: Any, now: float) -> ArchivingDownloader:
    return ArchivingDownloader(inner, file, InlinePool("archive", 1), wall=lambda: now)


@pytest.fixture
def server(outside: None) -> Iterator[Chaos]:
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
    downloader = ArchivingDownloader(
        kind(CoreSettings(), reactor=reactor), file, InlinePool("archive", 1), wall=lambda: 1_800_000_000.0
    )
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
def test_there_and_back(kind: Any, name: str, server: Chaos, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
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
    assert "damaged" not in caplog.text
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


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
@pytest.mark.parametrize("left", [0.3, 0.5, 0.9])
def test_what_a_kill_left_unfinished_is_cut_off_before_more_is_written(
    name: str, left: float, server: Chaos, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / name
    archive(FastDownloader, server, path)
    whole = path.read_bytes()
    archive(FastDownloader, server, path)
    kept = path.read_bytes()[: len(whole) + int(left * len(whole))]
    path.write_bytes(kept)
    if whole_length(path) == len(kept):  # that is just where a record ends
        path.write_bytes(kept[:-1])
    archive(FastDownloader, server, path)
    assert "a record that is not whole" in caplog.text
    caplog.clear()
    assert path.read_bytes().startswith(whole)
    assert len(ArchiveDownloader(path)) == 8
    assert "damaged" not in caplog.text
    with path.open("rb") as file:
        assert sum(record.rec_type == "response" for record in ArchiveIterator(file)) in range(16, 25)


def test_a_kill_in_the_first_record(server: Chaos, tmp_path: Path) -> None:
    for name in ("a.warc", "a.warc.gz"):
        archive(FastDownloader, server, tmp_path / name)
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:40])
        archive(FastDownloader, server, tmp_path / name)
        assert len(ArchiveDownloader(tmp_path / name)) == 8


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"WARC is a format\n" * 9),
        ("notes.warc", b"some notes"),
        ("backup.tar.gz", gzip.compress(b"a backup" * 100, mtime=0)),
        ("backup.warc.gz", gzip.compress(b"a backup" * 100, mtime=0)[:-20]),
    ],
)
def test_a_file_that_is_no_archive_is_left_as_it_is(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="is no WARC file"):
        WarcFile(tmp_path / name, software="crawler/0.1")
    assert (tmp_path / name).read_bytes() == content


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_an_archive_that_is_damaged_before_its_end_is_left_as_it_is(name: str, server: Chaos, tmp_path: Path) -> None:
    path = tmp_path / name
    archive(FastDownloader, server, path)
    content = path.read_bytes()
    damaged = content[:-60] + b"\xaa" * 100 + content
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="is damaged at byte"):
        WarcFile(path, software="crawler/0.1")
    assert path.read_bytes() == damaged


def test_two_crawls_never_write_into_one_archive(tmp_path: Path) -> None:
    first = WarcFile(tmp_path / "a.warc", software="crawler/0.1")
    with pytest.raises(OSError, match="another crawl is writing to it"):
        WarcFile(tmp_path / "a.warc", software="crawler/0.1")
    first.close()
    WarcFile(tmp_path / "a.warc", software="crawler/0.1").close()


def test_the_records_say_which_version_they_are_of(server: Chaos, tmp_path: Path) -> None:
    file = WarcFile(tmp_path / "a.warc", software="crawler/0.1", agent="me/1.0")
    file.close()
    with (tmp_path / "a.warc").open("rb") as opened:
        info = next(iter(ArchiveIterator(opened)))
        said = info.raw_stream.read()
    assert info.rec_headers.protocol == "WARC/1.1"
    assert b"format: WARC File Format 1.1\r\n" in said
    assert b"software: crawler/0.1\r\n" in said
    assert b"http-header-user-agent: me/1.0\r\n" in said


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_a_full_disk_leaves_whole_records_alone(name: str, server: Chaos, tmp_path: Path) -> None:
    path = tmp_path / name
    archive(FastDownloader, server, path)
    size = path.stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    noise = random.Random(1).randbytes(50_000)
    server.scripts["/noise"] = steps(answer(noise))
    file = WarcFile(path, software="crawler/0.1")
    downloader = ArchivingDownloader(
        FastDownloader(CoreSettings(), reactor=reactor), file, InlinePool("archive", 1), wall=lambda: 9.0
    )
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20_000, limits[1]))
    try:
        with pytest.raises(LocalFailure, match="cannot be written"):
            run(downloader.fetch(Request(server.url("/noise"))))
        run(downloader.fetch(Request(server.url("/"))))  # for which there is room
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    run(downloader.close())
    with path.open("rb") as opened:
        kinds = [record.rec_type for record in ArchiveIterator(opened)]
    assert kinds == ["warcinfo", *["request", "response"] * 9]


def test_a_body_whose_transfer_is_compressed(server: Chaos, tmp_path: Path) -> None:
    packed = gzip.compress(PAGE)
    chunks = b"%x\r\n%b\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(packed), packed)
    server.scripts["/te"] = steps(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + chunks)
    file = WarcFile(tmp_path / "a.warc", software="crawler/0.1")
    downloader = ArchivingDownloader(
        FastDownloader(CoreSettings(), reactor=reactor), file, InlinePool("archive", 1), wall=lambda: 9.0
    )
    assert run(downloader.fetch(Request(server.url("/te")))).body == PAGE
    run(downloader.close())
    assert b"\r\nTransfer-Encoding: gzip\r\n" in (tmp_path / "a.warc").read_bytes()
    assert fetch(ArchiveDownloader(tmp_path / "a.warc"), server.url("/te")).body == PAGE


def foreign(path: Path, head: bytes, body: bytes, *, url: str = "http://a.test/", request: bytes = b"") -> None:
    """Write an archive as other programs do: what was on the wire, as it was."""
    with path.open("wb") as file:
        for kind, content in (("request", request), ("response", head + b"\r\n\r\n" + body)):
            if content:
                fields = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nContent-Length: {len(content)}"
                file.write(gzip.compress(fields.encode() + b"\r\n\r\n" + content + b"\r\n\r\n"))


@pytest.mark.parametrize(
    ("coding", "body", "page", "flags"),
    [
        ("chunked", b"3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n", b"abc", []),
        ("chunked", b"3;x=y\r\nabc\r\n1  \r\nd\r\n0\r\n\r\n", b"abcd", []),
        ("chunked", b"3\nabc\n0\n\n", b"abc", []),
        ("chunked", b"<p>not in chunks", b"<p>not in chunks", []),
        ("chunked", b"3\r\nabc\r\n9\r\ndef", b"abcdef", ["dataloss"]),
        ("gzip", gzip.compress(b"page", mtime=0), b"page", []),
        ("gzip, chunked", b"18\r\n" + gzip.compress(b"page", mtime=0) + b"\r\n0\r\nA: b\r\n\r\n", b"page", []),
    ],
)
def test_bodies_as_they_were_on_the_wire(
    coding: str, body: bytes, page: bytes, flags: list[str], tmp_path: Path
) -> None:
    foreign(tmp_path / "a.warc.gz", f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}".encode(), body)
    response = fetch(ArchiveDownloader(tmp_path / "a.warc.gz"), "http://a.test/")
    assert (response.body, response.flags) == (page, ["archived", *flags])


GIB = 2**30
RECORD = "WARC/1.0\r\nWARC-Type: {}\r\nWARC-Target-URI: http://a.test/{}\r\nContent-Length: {}\r\n\r\n"


def packed(path: Path, kind: str, head: bytes, size: int, *, filling: bytes = b"\0", name: str = "") -> None:
    """Add a record of ``size`` bytes that takes a thousandth of that."""
    with gzip.open(path, "ab", compresslevel=6) as file:
        file.write(RECORD.format(kind, name, size).encode() + head)
        piece, left = filling * (2**20 // len(filling)), size - len(head)
        while left > 0:
            left -= file.write(piece[:left])
        file.write(b"\r\n\r\n")


@pytest.mark.slow
@pytest.mark.spread
@pytest.mark.parametrize("part", ["body", "header", "headers", "request", "target"])
def test_a_megabyte_that_unpacks_to_a_gigabyte(part: str, tmp_path: Path) -> None:
    path, ok = tmp_path / "a.warc.gz", b"HTTP/1.1 200 OK\r\n"
    packed(path, "response", ok + b"\r\nfirst", len(ok) + 7, name="first")
    if part == "body":
        packed(path, "response", ok + b"\r\n", GIB - 10_000_000)
    elif part == "header":
        packed(path, "response", ok + b"X: ", GIB, filling=b"a")
    elif part == "headers":
        packed(path, "response", ok, GIB, filling=b"X: aaaaaaaaaaaa\r\n")
    elif part == "request":
        packed(path, "request", b"POST / HTTP/1.1\r\n\r\n", GIB)
        packed(path, "response", ok + b"\r\npage", len(ok) + 6)
    else:
        for number in range(1000):
            packed(path, "response", ok + b"\r\npage", len(ok) + 6, name=f"{number}" + "a" * 900_000)
    code = f"""
from pathlib import Path
from crawler.download.archive.reading import ArchiveDownloader
from crawler.model.request import Request
archived = ArchiveDownloader(Path({str(path)!r}))
archived.fetch(Request("http://a.test/")).addCallbacks(lambda response: print(response.body_file), lambda failure: None)
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert int(done.stdout.split()[-1]) < 200_000, done.stdout


def test_a_bomb_in_an_archive(tmp_path: Path, server: Chaos) -> None:
    archive(FastDownloader, server, tmp_path / "a.warc.gz")
    with pytest.raises(BodyTooLarge):
        fetch(ArchiveDownloader(tmp_path / "a.warc.gz", CoreSettings(DOWNLOAD_MAXSIZE=1000)), server.url("/gzip"))


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
    downloader = ArchivingDownloader(
        FastDownloader(CoreSettings(), reactor=reactor), full, InlinePool("archive", 1), wall=lambda: 0.0
    )
    with pytest.raises(LocalFailure, match="no space left"):
        run(downloader.fetch(Request(server.url("/"))))
    run(downloader.close())
