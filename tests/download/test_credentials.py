"""Credentials are sent to the origin they were given for, and to no other: every combination."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from crawler.assembly.world import real_world
from crawler.config.schema import CoreSettings
from crawler.download.builtin import BuiltIn
from crawler.download.middleware.chain import compile_chain
from crawler.download.seam import Exchange, Head
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.redirect import RedirectRules, redirect_verdict
from crawler.policy.verdict import Later
from tests.download.reactor import reactor, run

HOME = "https://shop.example.com/login"
SECRET = "s3cr3t"

# where the redirect leads, and whether that is the same origin, and the same host for cookies
TARGETS = [
    ("https://shop.example.com/next", True, True),
    ("https://shop.example.com:8443/next", False, True),
    ("http://shop.example.com/next", False, False),
    ("https://www.shop.example.com/next", False, False),
    ("https://example.com/next", False, False),
    ("https://other.example.org/next", False, False),
]
CREDENTIALS: dict[str, dict[str, Any]] = {
    "Authorization": {"headers": {"Authorization": f"Bearer {SECRET}"}},
    "Cookie header": {"headers": {"Cookie": f"id={SECRET}"}},
    "Proxy-Authorization": {"headers": {"Proxy-Authorization": f"Basic {SECRET}"}},
    "auth": {"auth": ("user", SECRET)},
    "in the URL": {"url": HOME.replace("//", f"//{SECRET}:{SECRET}@")},
    "custom header": {"headers": {"X-Api-Key": SECRET}, "meta": {"secret_headers": ["X-Api-Key"]}},
}
WAYS = ["301", "302", "303", "307", "308", "refresh"]


def redirected(request: Request, target: str, way: str) -> Request:
    """Return what the redirect policy makes of an answer."""
    if way == "refresh":
        body = f'<meta http-equiv="refresh" content="0; url={target}">'.encode()
        response = Response(request.url, 200, Headers({"Content-Type": "text/html"}), body, request=request)
    else:
        response = Response(request.url, int(way), Headers({"Location": target}), request=request)
    verdict = redirect_verdict(request, response, RedirectRules())
    assert isinstance(verdict, Later)
    return verdict.request


class World:
    """A chain whose downloader notes what it is given."""

    def __init__(self, **settings: Any) -> None:
        self.sent: list[Request] = []
        self.set_cookie: str | None = None
        built_in = BuiltIn(CoreSettings(HTTPPROXY_ENABLED=False, **settings), real_world(reactor).machine)
        self._fetch = compile_chain(built_in.middlewares, self._download, self._refuse)

    async def _download(self, request: Request, exchange: Exchange | None) -> Response:
        self.sent.append(request)
        headers = Headers({"Set-Cookie": self.set_cookie} if self.set_cookie else {})
        if exchange is not None and exchange.on_head is not None:
            exchange.on_head(request, Head(200, b"OK", headers, "HTTP/1.1"))
        return Response(request.url, headers=headers, request=request)

    async def _refuse(self, request: Request) -> Response:
        raise AssertionError("nothing is fetched twice here")

    def wire(self, request: Request) -> str:
        """Send it; return all that would go out."""
        run(self._fetch(request))
        sent = self.sent[-1]
        # user information of a URL is never on the wire as such; a downloader's contract tests show that
        path = sent.url.partition("//")[2].partition("/")[2]
        text = f"{path} {sent.headers.raw()!r}"
        for name, value in sent.headers.raw():
            if name.lower() == b"authorization" and value.startswith(b"Basic "):
                text += base64.b64decode(value[6:]).decode()
        return text


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("target", "same_origin", "same_host"), TARGETS)
@pytest.mark.parametrize("kind", CREDENTIALS)
def test_credentials_of_a_request(kind: str, target: str, same_origin: bool, same_host: bool, way: str) -> None:
    world = World()
    request = Request(**{"url": HOME, **CREDENTIALS[kind]})
    assert (SECRET in world.wire(request)) or kind == "Proxy-Authorization"
    after = world.wire(redirected(request, target, way))
    if not same_origin:
        assert SECRET not in after
    elif kind in ("Authorization", "auth", "custom header"):
        assert SECRET in after


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("target", "same_origin", "same_host"), TARGETS)
def test_credentials_of_the_settings(target: str, same_origin: bool, same_host: bool, way: str) -> None:
    world = World(HTTP_AUTH={"https://shop.example.com": f"user:{SECRET}"})
    request = Request(HOME)
    assert SECRET in world.wire(request)
    assert (SECRET in world.wire(redirected(request, target, way))) is same_origin


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("target", "same_origin", "same_host"), TARGETS)
@pytest.mark.parametrize("given_by", ["server", "request"])
def test_cookies_of_the_jar(given_by: str, target: str, same_origin: bool, same_host: bool, way: str) -> None:
    """Cookies do not know ports (RFC 6265, 8.5); Secure ones, hosts and domains they do."""
    world = World()
    cookies: Any = None
    if given_by == "server":
        world.set_cookie = f"id={SECRET}; Secure"
    else:
        cookies = [{"name": "id", "value": SECRET, "secure": True}]
    request = Request(HOME, cookies=cookies)
    world.wire(request)
    world.set_cookie = None
    assert (SECRET in world.wire(redirected(request, target, way))) is same_host


def test_a_retry_through_another_proxy() -> None:
    world = World(PROXIES=[f"http://one:{SECRET}@p1:1", "http://p2:2"])
    request = Request(HOME)
    used = set()
    for _ in range(4):
        wire = world.wire(request)
        assert SECRET not in wire
        used.add(world.sent[-1].meta["proxy"])
    assert len(used) == 2
    assert "proxy" not in request.meta


def test_robots_carries_none() -> None:
    world = World(
        HTTP_AUTH={"https://shop.example.com": f"user:{SECRET}"},
        DEFAULT_REQUEST_HEADERS={"Authorization": SECRET, "Cookie": SECRET},
    )
    world.set_cookie = f"id={SECRET}; Path=/"
    world.wire(Request(HOME))
    request = Request("https://shop.example.com/robots.txt", meta={"robots": True, "dont_merge_cookies": True})
    assert SECRET not in world.wire(request)
