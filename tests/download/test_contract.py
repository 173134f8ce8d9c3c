"""What every downloader must do, over real sockets; each is run through the same tests."""

from __future__ import annotations

import gzip
import re
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brotli
import pytest
import zstandard
from twisted.internet.defer import Deferred, DeferredList

from crawler.config.schema import CoreSettings
from crawler.download.agent.twisted import TwistedDownloader
from crawler.download.http.downloader import FastDownloader
from crawler.download.seam import Downloader, Exchange, Head
from crawler.errors import (
    AddressForbidden,
    BadResponse,
    BodyTooLarge,
    ConnectionFailed,
    ConnectionLost,
    DecodingError,
    FetchCancelled,
    FetchError,
    FetchTimeout,
    HeadTooLarge,
    NameNotResolved,
    NotBegun,
    ProxyError,
    TLSError,
    TruncatedBody,
    UnsupportedScheme,
)
from crawler.model.request import Request
from crawler.model.response import Response
from tests.download.chaos import CLOSE, HANG, RESET, Chaos, Script, Step, answer, echo, steps
from tests.download.reactor import reactor, run, turn, until

pytestmark = pytest.mark.process

Make = Callable[..., Downloader]

DOWNLOADERS: dict[str, Any] = {"twisted": TwistedDownloader, "fast": FastDownloader}


@pytest.fixture(params=DOWNLOADERS)
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Make a downloader with settings; at the end it leaves nothing behind."""
    made: list[Downloader] = []

    def make_one(**settings: Any) -> Downloader:
        settings = {"DOWNLOAD_TIMEOUT": 5.0, **settings}
        made.append(DOWNLOADERS[request.param](CoreSettings(**settings), reactor=reactor))
        return made[-1]

    yield make_one
    for each in made:
        run(each.close())
    until(lambda: not reactor.getDelayedCalls())


@pytest.fixture
def server() -> Iterator[Chaos]:
    chaos = Chaos()
    yield chaos
    chaos.close()


def fetch(downloader: Downloader, url: str, exchange: Exchange | None = None, **request: Any) -> Response:
    return run(downloader.fetch(Request(url, **request), exchange))


def failing(downloader: Downloader, url: str, kind: type[FetchError], **request: Any) -> FetchError:
    with pytest.raises(kind) as caught:
        fetch(downloader, url, **request)
    assert caught.value.request is not None
    assert caught.value.request.url == url
    return caught.value


# What is sent


def test_a_request_is_sent_as_it_is(make: Make, server: Chaos) -> None:
    server.scripts["/a"] = echo
    text = fetch(make(), server.url("/a?q=1#part"), headers={"X-One": ["1", "2"], "Host": "by.hand"}).text
    assert text.startswith("GET /a?q=1 HTTP/1.1\r\n")
    assert re.findall(r"(?im)^x-one: (.)", text) == ["1", "2"]
    assert re.findall(r"(?im)^host: (.*)\r$", text) == ["by.hand"]
    assert "gzip" in text
    assert "cookie" not in text.lower()
    assert "user-agent" not in text.lower()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_is_sent_with_its_length(make: Make, server: Chaos, method: str) -> None:
    server.scripts["/a"] = echo
    head, _, body = fetch(make(), server.url("/a"), method=method, body=b"x" * 5000).body.partition(b"\r\n\r\n")
    assert body == b"x" * 5000
    assert b"content-length: 5000" in head.lower()


def test_the_callers_framing_is_not_sent(make: Make, server: Chaos) -> None:
    server.scripts["/a"] = echo
    headers = {"Content-Length": "3", "Transfer-Encoding": "chunked"}
    text = fetch(make(), server.url("/a"), method="POST", body=b"12345", headers=headers).text.lower()
    assert re.findall("content-length: (.*)\r", text) == ["5"]
    assert "transfer-encoding" not in text


def test_an_empty_post_says_so(make: Make, server: Chaos) -> None:
    server.scripts["/a"] = echo
    assert "content-length: 0" in fetch(make(), server.url("/a"), method="POST").text.lower()


def test_credentials_of_the_url_stay_here(make: Make, server: Chaos) -> None:
    server.scripts["/a"] = echo
    text = fetch(make(), server.url("/a").replace("//", "//user:secret@")).text
    assert "secret" not in text
    assert "uthorization" not in text


# Uploads and proxies


def test_files_are_sent_as_multipart(make: Make, server: Chaos, tmp_path: Path) -> None:
    server.scripts["/a"] = echo
    (tmp_path / "päper.txt").write_bytes(b"line\n" * 50_000)
    with (tmp_path / "päper.txt").open("rb") as file:
        body = fetch(make(), server.url("/a"), files={"paper": file}, data={"title": "One"}).body
    head, _, parts = body.partition(b"\r\n\r\n")
    boundary = re.search(rb"(?i)content-type: multipart/form-data; boundary=(\S+)", head)
    assert boundary is not None
    assert head.startswith(b"POST ")
    assert head.lower().count(b"content-type:") == 1
    fields = parts.split(b"--" + boundary[1])[1:-1]
    assert len(fields) == 2
    assert b'name="title"' in fields[0]
    assert fields[0].endswith(b"\r\n\r\nOne\r\n")
    assert b'name="paper"' in fields[1]
    assert fields[1].endswith(b"\r\n\r\n" + b"line\n" * 50_000 + b"\r\n")


def test_a_proxy_is_given_the_whole_url_and_its_credentials(make: Make, server: Chaos) -> None:
    server.scripts["/a"] = echo
    proxy = server.url("", "http").replace("//", "//user:p%40ss@")
    text = fetch(make(), "http://shop.invalid/a?b#c", proxy=proxy, headers={"Proxy-Authorization": "other"}).text
    assert text.startswith("GET http://shop.invalid/a?b HTTP/1.1\r\n")
    assert re.findall("(?i)proxy-authorization: (.*)\r", text)[-1] == "Basic dXNlcjpwQHNz"
    assert "Host: shop.invalid\r\n" in text


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password(make: Make, server: Chaos, scheme: str) -> None:
    refusal = steps(answer(b"", status=b"407 Proxy Authentication Required"))
    server.scripts.update({"/a": refusal, "shop.invalid:443": refusal})
    with pytest.raises(ProxyError, match=f"127.0.0.1:{server.port} wants a user name and password"):
        fetch(make(), f"{scheme}://shop.invalid/a", proxy=server.url(""))
    with pytest.raises(ProxyError, match="refused the credentials") as caught:
        fetch(make(), f"{scheme}://shop.invalid/a", proxy=server.url("").replace("//", "//user:secret@"))
    assert "secret" not in str(caught.value)


def test_a_proxy_that_is_dead(make: Make, server: Chaos) -> None:
    server.close()
    with pytest.raises(ProxyError, match=f"127.0.0.1:{server.port}") as caught:
        fetch(make(), "http://shop.invalid/", proxy=server.url("").replace("//", "//user:secret@"))
    assert not caught.value.sent
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("script", [steps(CLOSE), steps(b"HTTP/1.1 200", CLOSE), steps(b"rubbish\r\n\r\n", HANG)])
def test_a_proxy_that_fails_half_way(make: Make, server: Chaos, script: Script) -> None:
    server.scripts["shop.invalid:443"] = script
    with pytest.raises(ProxyError):
        fetch(make(), "https://shop.invalid/", proxy=server.url(""))
    until(lambda: server.open == 0)


# What comes back


def test_a_plain_answer(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(answer(b"hello", headers=b"X-A: 1\r\nX-a: 2\r\n"))
    exchange = Exchange()
    response = fetch(make(), server.url("/"), exchange)
    assert (response.status, response.reason, response.body) == (200, "OK", b"hello")
    assert response.headers.getlist("x-a") == [b"1", b"2"]
    assert response.headers["Content-Length"] == b"5"
    assert response.protocol == "HTTP/1.1"
    assert str(response.ip_address) == "127.0.0.1"
    assert response.request is not None
    assert response.request.url == response.url
    assert response.latency is not None
    assert 0 < response.latency < 5
    assert response.flags == []
    assert exchange.sent
    assert exchange.remote == "127.0.0.1"


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Check: 1\r\n\r\n", b"abc"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n", b""),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 308 Permanent Redirect\r\nLocation: /b\r\nContent-Length: 5\r\n\r\nmoved", b"moved"),
    ],
)
@pytest.mark.parametrize("cut", [0, 1])
def test_framings(make: Make, server: Chaos, raw: bytes, body: bytes, cut: int) -> None:
    pieces: list[Step] = [raw]
    if cut:
        pieces = [step for byte in raw for step in (bytes([byte]), 0.0)]
    server.scripts["/"] = steps(*pieces)
    downloader = make()
    assert fetch(downloader, server.url("/")).body == body
    assert fetch(downloader, server.url("/")).body == body
    assert len(server.connections) == 1


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_a_body_that_ends_with_the_connection_is_complete(make: Make, server: Chaos, version: bytes) -> None:
    server.scripts["/"] = steps(b"HTTP/%b 200 OK\r\n\r\nall there is" % version, 0.01, b"!", CLOSE)
    response = fetch(make(), server.url("/"))
    assert response.body == b"all there is!"
    assert response.flags == []


@pytest.mark.parametrize(("size", "fits"), [(None, False), (0, True), (1000, True), (999, False)])
def test_a_size_in_meta_comes_before_the_setting(make: Make, server: Chaos, size: int | None, fits: bool) -> None:
    downloader = make(DOWNLOAD_MAXSIZE=10)
    server.scripts["/"] = steps(answer(b"x" * 1000))
    if fits:
        assert len(fetch(downloader, server.url("/"), meta={"download_maxsize": size}).body) == 1000
    else:
        failing(downloader, server.url("/"), BodyTooLarge, meta={"download_maxsize": size})


def test_head_has_no_body(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    downloader = make(DOWNLOAD_MAXSIZE=10)
    for _ in range(2):
        assert fetch(downloader, server.url("/"), method="HEAD").body == b""
    assert len(server.connections) == 1


def test_redirects_cookies_and_errors_are_just_answers(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(answer(b"", status=b"302 Found", headers=b"Location: /b\r\nSet-Cookie: a=b\r\n"))
    server.scripts["/e"] = steps(answer(b"broken", status=b"500 Internal Server Error"))
    server.scripts["/b"] = echo
    downloader = make()
    assert fetch(downloader, server.url("/")).status == 302
    assert fetch(downloader, server.url("/e")).body == b"broken"
    assert b"ookie" not in fetch(downloader, server.url("/b")).body


# Codings


ENCODED = {
    "gzip": gzip.compress(b"some text" * 50),
    "br": brotli.compress(b"some text" * 50),
    "zstd": zstandard.compress(b"some text" * 50),
    "gzip, br": brotli.compress(gzip.compress(b"some text" * 50)),
}


@pytest.mark.parametrize("coding", ENCODED)
def test_decoding(make: Make, server: Chaos, coding: str) -> None:
    server.scripts["/"] = steps(answer(ENCODED[coding], headers=f"Content-Encoding: {coding}\r\n".encode()))
    raw: list[bytes] = []
    response = fetch(make(), server.url("/"), Exchange(tap=raw.append))
    assert response.body == b"some text" * 50
    assert "Content-Encoding" not in response.headers
    assert b"".join(raw) == ENCODED[coding]


def test_decoding_can_be_turned_off(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(answer(ENCODED["gzip"], headers=b"Content-Encoding: gzip\r\n"))
    response = fetch(make(COMPRESSION_ENABLED=False), server.url("/"))
    assert response.body == ENCODED["gzip"]
    assert response.headers["Content-Encoding"] == b"gzip"
    assert b"gzip" not in server.requests[0]


def test_codings_nobody_knows_stay(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(answer(b"text", headers=b"Content-Encoding: utf-8\r\n"))
    response = fetch(make(), server.url("/"))
    assert response.body == b"text"
    assert response.headers["Content-Encoding"] == b"utf-8"


def test_a_damaged_coding(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(answer(b"not gzip at all", headers=b"Content-Encoding: gzip\r\n"))
    failing(make(), server.url("/"), DecodingError)
    server.scripts["/"] = steps(answer(ENCODED["gzip"][:-20], headers=b"Content-Encoding: gzip\r\n"))
    failing(make(), server.url("/"), DecodingError)
    response = fetch(make(DOWNLOAD_FAIL_ON_DATALOSS=False), server.url("/"))
    assert response.flags == ["dataloss"]
    assert (b"some text" * 50).startswith(response.body)


# Limits


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "gzip, gzip"])
def test_bombs(make: Make, server: Chaos, coding: str) -> None:
    limit = 2_000_000
    data = bytes(30_000_000)
    for name in coding.split(", "):
        encode: Any = {"gzip": gzip.compress, "br": lambda data: brotli.compress(data, quality=1)}.get(name)
        data = (encode or zstandard.compress)(data)
    server.scripts["/"] = steps(answer(data, headers=f"Content-Encoding: {coding}\r\n".encode()))
    downloader = make()
    tracemalloc.start()
    try:
        error = failing(downloader, server.url("/"), BodyTooLarge, max_size=limit)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(limit) in str(error)
    assert peak < limit * 3 + 2_500_000
    until(lambda: server.open == 0)


@pytest.mark.parametrize(
    "script",
    [
        steps(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", HANG),
        steps(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 100] * 11, HANG),
        steps(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"64\r\n" + b"x" * 100 + b"\r\n"] * 11, HANG),
    ],
)
def test_large_bodies_are_ended_while_they_come(make: Make, server: Chaos, script: Script) -> None:
    server.scripts["/"] = script
    failing(make(DOWNLOAD_MAXSIZE=1000), server.url("/"), BodyTooLarge)
    until(lambda: server.open == 0)


def test_a_body_of_just_the_limit(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(answer(b"x" * 1000))
    assert len(fetch(make(DOWNLOAD_MAXSIZE=1000), server.url("/")).body) == 1000


def endless(piece: bytes, before: bytes = b"") -> Script:
    def script(request: bytes) -> Iterator[Step]:
        yield before
        while True:
            yield piece * max(1, 20_000 // len(piece))
            yield 0.0

    return script


@pytest.mark.parametrize(
    "script",
    [
        endless(b"X-Again: and again\r\n", b"HTTP/1.1 200 OK\r\n"),
        endless(b"x", b"HTTP/1.1 200 OK\r\nX-Long: "),
        endless(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"),
        endless(b"x", b"HTTP/1.1 200 "),
    ],
    ids=["headers", "line", "hints", "reason"],
)
def test_endless_heads(make: Make, server: Chaos, script: Script) -> None:
    server.scripts["/"] = script
    failing(make(), server.url("/"), FetchError)
    until(lambda: server.open == 0)


@pytest.mark.parametrize("name", ["trailers", "extension"])
def test_endless_framing(make: Make, server: Chaos, name: str) -> None:
    before = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    server.scripts["/"] = {
        "trailers": endless(b"X-Again: and again\r\n", before + b"0\r\n"),
        "extension": endless(b"x", before + b"3;"),
    }[name]
    failing(make(), server.url("/"), FetchError)
    until(lambda: server.open == 0)


# What goes wrong


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (steps(CLOSE), ConnectionLost),
        (steps(RESET), ConnectionLost),
        (steps(b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE), ConnectionLost),
        (steps(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", CLOSE), TruncatedBody),
        (steps(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", CLOSE), TruncatedBody),
        (steps(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", CLOSE), TruncatedBody),
        (steps(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", HANG), BadResponse),
        (steps(b"HTTP/1.1 abc OK\r\n\r\n", HANG), BadResponse),
        (steps(b"HTTP/1.1 -12 OK\r\nContent-Length: 0\r\n\r\n", HANG), BadResponse),
        (steps(b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 0\r\n\r\n", HANG), BadResponse),
        (steps(b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n", HANG), BadResponse),
        (steps(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", HANG), BadResponse),
    ],
)
def test_named_errors(make: Make, server: Chaos, script: Script, kind: type[FetchError]) -> None:
    server.scripts["/"] = script
    error = failing(make(), server.url("/"), kind)
    assert error.sent
    until(lambda: server.open == 0)


def test_a_broken_chunk(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", HANG)
    failing(make(), server.url("/"), TruncatedBody)


def test_half_a_body_can_be_accepted(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", CLOSE)
    response = fetch(make(DOWNLOAD_FAIL_ON_DATALOSS=False), server.url("/"))
    assert response.body == b"half"
    assert response.flags == ["dataloss"]
    response = fetch(make(), server.url("/"), meta={"download_fail_on_dataloss": False})
    assert response.flags == ["dataloss"]


def test_nobody_listens(make: Make, server: Chaos) -> None:
    url = server.url("/")
    server.close()
    assert not failing(make(), url, ConnectionFailed).sent


def test_no_such_name(make: Make) -> None:
    assert not failing(make(), "http://no-such-name.invalid/", NameNotResolved).sent


def test_other_schemes_and_broken_urls(make: Make) -> None:
    assert not failing(make(), "gopher://127.0.0.1/", UnsupportedScheme).sent
    assert not failing(make(), "http://[broken/", FetchError).sent


def test_tls_with_a_plain_server(make: Make, server: Chaos) -> None:
    server.scripts["/"] = echo

    with pytest.raises((TLSError, ConnectionLost, FetchTimeout)):
        fetch(make(DOWNLOAD_TIMEOUT=0.3), server.url("/", "https"))


def test_private_addresses_can_be_denied(make: Make, server: Chaos) -> None:
    server.scripts["/"] = echo
    downloader = make(DENY_PRIVATE_ADDRESSES=True)
    for host in ("2130706433", "[::ffff:127.0.0.1]", "localhost"):
        request = Request(f"http://{host}:{server.port}/")
        with pytest.raises(AddressForbidden):
            run(downloader.fetch(request))
    assert not server.requests


# Time


def dribble(data: bytes, pause: float = 0.02) -> Script:
    return steps(*[step for byte in data for step in (bytes([byte]), pause)])


@pytest.mark.parametrize(
    "script",
    [
        steps(HANG),
        steps(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", HANG),
        dribble(b"HTTP/1.1 200 OK\r\n" * 100),
        dribble(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1000),
    ],
    ids=["silence", "half", "dribbled head", "dribbled body"],
)
def test_a_total_deadline_beats_everything(make: Make, server: Chaos, script: Script) -> None:
    server.scripts["/"] = script
    started = reactor.seconds()
    error = failing(make(DOWNLOAD_TIMEOUT=0.2), server.url("/"), FetchTimeout)
    assert isinstance(error, FetchTimeout)
    assert error.phase == "total"
    assert reactor.seconds() - started < 1.5
    until(lambda: server.open == 0)


@pytest.mark.parametrize(
    ("script", "phase"),
    [
        (steps(HANG), "first byte"),
        (steps(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", HANG), "read"),
    ],
)
def test_silence_is_noticed(make: Make, server: Chaos, script: Script, phase: str) -> None:
    server.scripts["/"] = script
    error = failing(make(DOWNLOAD_READ_TIMEOUT=0.15), server.url("/"), FetchTimeout)
    assert isinstance(error, FetchTimeout)
    assert error.phase == phase


def test_a_slow_server_that_keeps_talking_is_waited_for(make: Make, server: Chaos) -> None:
    server.scripts["/"] = dribble(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nxxxxx", 0.03)
    assert fetch(make(DOWNLOAD_READ_TIMEOUT=1.0), server.url("/")).body == b"xxxxx"


def test_time_out_of_one_request(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(HANG)
    failing(make(), server.url("/"), FetchTimeout, timeout=0.1)


def test_a_tls_server_that_says_nothing(make: Make, server: Chaos) -> None:
    with pytest.raises(FetchTimeout) as caught:
        fetch(make(DOWNLOAD_CONNECT_TIMEOUT=0.15), server.url("/", "https"))
    assert caught.value.phase == "connect"
    assert not caught.value.sent
    until(lambda: server.open == 0)


def test_cancelling_ends_the_exchange(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(HANG)
    fetching = make().fetch(Request(server.url("/")))
    until(lambda: bool(server.requests))
    fetching.cancel()
    with pytest.raises(FetchCancelled):
        run(fetching)
    until(lambda: server.open == 0)


def test_cancelling_before_there_is_a_connection(make: Make, server: Chaos) -> None:
    server.scripts["/"] = echo
    fetching = make().fetch(Request(server.url("/")))
    fetching.cancel()
    with pytest.raises(FetchCancelled):
        run(fetching)
    turn(0.05)
    assert not server.requests


def test_closing_fails_what_is_under_way(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(HANG)
    downloader = make()
    fetching = downloader.fetch(Request(server.url("/")))
    until(lambda: bool(server.requests))
    fetching.addErrback(lambda failure: failure.value)
    run(downloader.close())
    error: Any = run(fetching)
    assert isinstance(error, FetchError)


# Connections


def test_connections_are_used_again(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(answer(b"x"))
    downloader = make()
    for _ in range(20):
        fetch(downloader, server.url("/"))
    assert len(server.connections) == 1


def test_a_connection_the_server_closed_is_not_a_failure(make: Make, server: Chaos) -> None:
    served = 0

    def once(request: bytes) -> Iterator[Step]:
        nonlocal served
        served += 1
        yield answer(b"x")
        yield 0.0
        yield CLOSE

    server.scripts["/"] = once
    downloader = make()
    for count in range(1, 6):
        assert fetch(downloader, server.url("/")).body == b"x"
        assert served == count
        if count % 2:
            turn(0.02)


def test_a_stale_connection_is_tried_once_more_if_that_is_safe(make: Make, server: Chaos) -> None:
    def second_fails(request: bytes) -> Iterator[Step]:
        yield RESET if server.open == 1 and len(server.requests) == 2 else answer(b"x")

    server.scripts["/"] = second_fails
    downloader = make()
    assert fetch(downloader, server.url("/")).body == b"x"
    assert fetch(downloader, server.url("/")).body == b"x"
    assert len(server.requests) == 3


def test_a_stale_connection_is_told_of_where_the_repeat_has_to_wait(make: Make, server: Chaos) -> None:
    def second_fails(request: bytes) -> Iterator[Step]:
        yield RESET if len(server.requests) == 2 else answer(b"x")

    server.scripts["/"] = second_fails
    downloader: Any = make()
    asked: list[str] = []
    downloader.rules.may_repeat = lambda request: asked.append(request.url)
    assert fetch(downloader, server.url("/")).body == b"x"
    assert failing(downloader, server.url("/"), ConnectionLost).may_repeat
    assert (len(server.requests), asked) == (2, [server.url("/")])
    assert fetch(downloader, server.url("/")).body == b"x"


def test_no_first_byte_goes_out_where_nothing_may_be_sent_any_more(make: Make, server: Chaos) -> None:
    server.scripts["/"] = lambda request: iter([answer(b"x")])
    downloader: Any = make()
    answers = [False, True, False, True]
    downloader.rules.may_send = lambda: answers.pop(0)
    for _ in range(2):  # on a new connection, then on one that lay idle
        assert not failing(downloader, server.url("/"), NotBegun).sent
        assert fetch(downloader, server.url("/")).body == b"x"
    assert len(server.requests) == 2


@pytest.mark.parametrize("spooled", [False, True])
@pytest.mark.parametrize("coding", ["", "gzip", "chunked"])
def test_a_body_that_may_be_cut_ends_at_its_limit(coding: str, spooled: bool, make: Make, server: Chaos) -> None:
    body = b"".join(b"Disallow: /%d\n" % number for number in range(100_000))
    sent = gzip.compress(body) if coding == "gzip" else body
    head = {"": "Content-Length: %d", "gzip": "Content-Encoding: gzip\r\nContent-Length: %d"}.get(coding, "")
    fields = (head % len(sent) if head else "Transfer-Encoding: chunked") + "\r\n"
    pieces = b"%x\r\n%b\r\n0\r\n\r\n" % (len(sent), sent) if coding == "chunked" else sent
    server.scripts["/"] = lambda request: iter([f"HTTP/1.1 200 OK\r\n{fields}\r\n".encode() + pieces])
    server.scripts["/after"] = lambda request: iter([answer(b"x")])
    downloader = make(DOWNLOAD_SPOOL_SIZE=10_000 if spooled else 0)
    meta = {"download_maxsize": 50_000, "download_cut": True}
    response = fetch(downloader, server.url("/"), meta=meta)
    assert "stopped" in response.flags
    assert 50_000 < len(response.body) < len(body)
    assert body.startswith(response.body)
    assert fetch(downloader, server.url("/after")).body == b"x"
    failing(downloader, server.url("/"), BodyTooLarge, meta={"download_maxsize": 50_000})


def test_a_post_is_not_repeated(make: Make, server: Chaos) -> None:
    def second_fails(request: bytes) -> Iterator[Step]:
        yield RESET if len(server.requests) == 2 else answer(b"x")

    server.scripts["/"] = second_fails
    downloader = make()
    fetch(downloader, server.url("/"), method="POST", body=b"1")
    failing(downloader, server.url("/"), ConnectionLost, method="POST", body=b"2")
    assert len(server.requests) == 2


def test_many_at_once(make: Make, server: Chaos) -> None:
    def numbered(request: bytes) -> Iterator[Step]:
        yield 0.01
        number = re.search(rb"\?n=(\d+)", request)
        assert number is not None
        yield answer(number[1])

    server.scripts["/"] = numbered
    downloader = make()
    fetching: list[Deferred[Response]] = [downloader.fetch(Request(server.url(f"/?n={n}"))) for n in range(50)]
    outcomes: Any = run(DeferredList(fetching))
    assert [response.body for _, response in outcomes] == [b"%d" % n for n in range(50)]


def test_ipv6(make: Make) -> None:
    server = Chaos({"/": echo}, interface="::1")
    try:
        text = fetch(make(), server.url("/")).text
        assert f"Host: [::1]:{server.port}\r\n" in text
    finally:
        server.close()


def test_bind_address(make: Make, server: Chaos) -> None:
    server.scripts["/"] = echo
    fetch(make(), server.url("/"), meta={"bindaddress": "127.0.0.9"})
    transport: Any = server.connections[0].transport
    assert transport.getPeer().host == "127.0.0.9"


# Watching and steering


def test_on_head_sees_the_head_before_the_body(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(b"HTTP/1.1 200 Fine\r\nX-A: b\r\nContent-Length: 3\r\n\r\n", 0.05, b"abc")
    seen: list[tuple[Request, Head]] = []

    def on_head(request: Request, head: Head) -> bool:
        seen.append((request, head))
        return True

    response = fetch(make(), server.url("/"), Exchange(on_head=on_head))
    assert response.body == b"abc"
    ((request, head),) = seen
    assert request.url == server.url("/")
    assert (head.status, head.reason, head.protocol, head.headers["X-A"]) == (200, b"Fine", "HTTP/1.1", b"b")


def test_on_head_can_stop(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n", HANG)
    response = fetch(make(), server.url("/"), Exchange(on_head=lambda request, head: False))
    assert response.status == 200
    assert response.flags == ["stopped"]
    until(lambda: server.open == 0)


def test_raw_heads(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(b"HTTP/1.1 200 Fine\r\nX-a:  b\r\nContent-Length: 3\r\n\r\nabc")
    exchange = Exchange(keep_raw=True)
    fetch(make(), server.url("/"), exchange, method="POST", body=b"xyz")
    assert exchange.response_head == b"HTTP/1.1 200 Fine\r\nX-a:  b\r\nContent-Length: 3\r\n\r\n"
    assert exchange.request_head.startswith(b"POST / HTTP/1.1\r\n")
    assert exchange.request_head.endswith(b"\r\n\r\n")


def test_into_a_file(make: Make, server: Chaos, tmp_path: Path) -> None:
    server.scripts["/"] = steps(answer(gzip.compress(b"abc" * 1000), headers=b"Content-Encoding: gzip\r\n"))
    response = fetch(make(), server.url("/"), into=tmp_path / "body")
    assert response.body_file == tmp_path / "body"
    assert (tmp_path / "body").read_bytes() == b"abc" * 1000
    server.scripts["/"] = steps(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", CLOSE)
    failing(make(), server.url("/"), TruncatedBody, into=tmp_path / "half")
    assert [path.name for path in tmp_path.iterdir()] == ["body"]


def test_large_bodies_go_to_a_temporary_file(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(answer(b"x" * 50_000))
    response = fetch(make(DOWNLOAD_SPOOL_SIZE=10_000), server.url("/"))
    path = response.body_file
    assert path is not None
    assert response.body == b"x" * 50_000
    assert path.exists()


def test_a_legal_long_header_line(server: Chaos) -> None:
    """The Agent refuses a line of 18 kB; the fast downloader takes it."""
    server.scripts["/"] = steps(answer(b"ok", headers=b"X-Long: " + b"x" * 18_000 + b"\r\n"))
    fast = FastDownloader(CoreSettings(), reactor=reactor)
    try:
        assert fetch(fast, server.url("/")).body == b"ok"
    finally:
        run(fast.close())
    agent = TwistedDownloader(CoreSettings(), reactor=reactor)
    try:
        failing(agent, server.url("/"), FetchError)
    finally:
        run(agent.close())


def test_head_limits_by_setting(make: Make, server: Chaos) -> None:
    server.scripts["/"] = steps(answer(b"ok", headers=b"X-Some: header\r\n" * 20_000))
    failing(make(HEADER_MAX_TOTAL=20_000, HEADER_MAX_COUNT=100_000), server.url("/"), HeadTooLarge)
