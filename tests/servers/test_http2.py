"""HTTP/2 with nginx and nghttpd: chosen by ALPN, verified, one connection for many, 1.1 where it must be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import DeferredList

from crawler.errors import TLSError
from crawler.model.request import Request
from tests.download.http.certificates import Authority
from tests.download.http.support import World
from tests.servers.origins import LARGE, PAGE, Origin, nghttpd, nginx

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["nginx", "nghttpd"])
def server(request: pytest.FixtureRequest, certificate: Path) -> Iterator[Origin]:
    with {"nginx": nginx, "nghttpd": nghttpd}[request.param](certificate) as running:
        yield running


def fetch(world: World, authority: Authority, url: str, *, settings: Any = None, **request: Any) -> Any:
    return world.fetch(url, settings={"TLS_CA_FILE": str(authority.file), **(settings or {})}, **request)


def test_pages(world: World, authority: Authority, server: Origin) -> None:
    downloader = world.downloader(TLS_CA_FILE=str(authority.file))
    page = world.wait(downloader.fetch(Request(f"{server.secure}/page.html")))
    assert (page.status, page.protocol, page.body) == (200, "h2", PAGE)
    assert "Content-Encoding" not in page.headers
    large = world.wait(downloader.fetch(Request(f"{server.secure}/large.bin")))
    assert (large.body == LARGE, large.protocol) == (True, "h2")
    missing = world.wait(downloader.fetch(Request(f"{server.secure}/missing")))
    assert (missing.status, missing.protocol) == (404, "h2")
    head = world.wait(downloader.fetch(Request(f"{server.secure}/page.html", method="HEAD")))
    assert (head.status, head.body) == (200, b"")


def test_many_at_once_and_again(world: World, authority: Authority, server: Origin) -> None:
    downloader = world.downloader(TLS_CA_FILE=str(authority.file))
    for _ in range(2):
        fetches = [downloader.fetch(Request(f"{server.secure}/{number}.html")) for number in range(60)]
        answers = world.wait(DeferredList(fetches))
        assert [answer.body.decode() for _, answer in answers] == [f"<title>{number}</title>" for number in range(60)]
        assert {answer.protocol for _, answer in answers} == {"h2"}


def test_a_body(world: World, authority: Authority, server: Origin) -> None:
    body = b"a=b&" * 100_000
    answer = fetch(world, authority, f"{server.secure}/upload", method="POST", body=body)
    if answer.body.startswith(b"POST"):  # nginx says what it got, nghttpd sends it back
        assert answer.body == b"POST 400000"
    else:
        assert answer.body == body


def test_nginx_ends_a_connection_after_some_requests(world: World, authority: Authority, certificate: Path) -> None:
    """GOAWAY in the middle of many requests: none is lost, none is answered twice."""
    with nginx(certificate, requests=10) as server:
        downloader = world.downloader(TLS_CA_FILE=str(authority.file))
        fetches = [downloader.fetch(Request(f"{server.secure}/{number}.html")) for number in range(60)]
        answers = world.wait(DeferredList(fetches), 30)
        assert [answer.body.decode() for _, answer in answers] == [f"<title>{number}</title>" for number in range(60)]


def test_fallback_to_1_1(world: World, authority: Authority, certificate: Path) -> None:
    with nginx(certificate, http2=False) as server:
        assert fetch(world, authority, f"{server.secure}/page.html").protocol == "HTTP/1.1"


def test_a_setting_turns_it_off(world: World, authority: Authority, origin: Origin) -> None:
    page = fetch(world, authority, f"{origin.secure}/page.html", settings={"HTTP2_ENABLED": False})
    assert (page.protocol, page.body) == ("HTTP/1.1", PAGE)
    assert fetch(world, authority, f"{origin.plain}/page.html").protocol == "HTTP/1.1"


def test_an_authority_nobody_trusts(world: World, server: Origin) -> None:
    with pytest.raises(TLSError, match=r"untrusted root|not trusted"):
        world.fetch(f"{server.secure}/page.html")


def test_a_name_the_certificate_does_not_have(world: World, authority: Authority) -> None:
    with nginx(authority.server("example.org")) as server, pytest.raises(TLSError, match=r"127\.0\.0\.1"):
        fetch(world, authority, f"{server.secure}/page.html")
